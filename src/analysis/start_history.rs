//! How many requests of each color began when, from which the canary's share at a moment is known.

use crate::value::color::{Color, PerColor};
use std::collections::VecDeque;

/// Requests that began, by color and second. Of what lies further back, sixteen seconds are one.
#[derive(Clone, Debug, Default)]
pub struct StartHistory {
    spans: VecDeque<Span>,
    epoch: u64,
}

/// Requests that began in the seconds from one to the next span's.
#[derive(Clone, Copy, Debug)]
struct Span {
    from_s: u64,
    /// Which weights were in force: spans of others tell nothing of this one's share.
    epoch: u64,
    starts: PerColor<u64>,
}

// === impl StartHistory ===

impl StartHistory {
    /// So many spans of one second are kept.
    const FINE: usize = 64;
    const COARSE_S: u64 = 16;
    /// 20 minutes.
    const MAX_S: u64 = 1_200;

    /// A share is taken over so many requests where there are enough, and over at most so long.
    const WANTED: u64 = 256;
    const WANTED_WITHIN_S: u64 = 60;

    /// The weights have changed: from this second on the share is another.
    pub fn begin_weights(&mut self) {
        self.epoch = self.epoch.saturating_add(1);
    }

    /// Requests of a color began in a second. What is negative takes some back.
    pub fn add(&mut self, second: u64, color: Color, count: i64) {
        let index = match self.index_of(second) {
            Some(index) if self.holds(index, second) => index,
            index => self.insert(index, second),
        };
        if let Some(span) = self.spans.get_mut(index) {
            let starts = span.starts.of_mut(color);
            *starts = starts.saturating_add_signed(count);
        }
    }

    /// The share of one color among the requests that began in a second and just before it, under the same weights.
    /// None where nothing is known of that time.
    pub fn share(&self, second: u64, color: Color) -> Option<f64> {
        let last = self.index_of(second)?;
        let at = self.spans.get(last)?;
        let begin_s = second.saturating_sub(Self::WANTED_WITHIN_S);
        let mut sum = PerColor::<u64>::default();
        for span in self.spans.range(..=last).rev() {
            let is_enough = total(&sum) >= Self::WANTED;
            if span.epoch != at.epoch || (span.from_s < begin_s && total(&sum) > 0) || is_enough {
                break;
            }
            for color in Color::ALL {
                let starts = sum.of_mut(color);
                *starts = starts.saturating_add(*span.starts.of(color));
            }
        }
        let all = to_f64(total(&sum));
        (all > 0.0).then(|| to_f64(*sum.of(color)) / all)
    }

    /// The last span that does not begin after a second.
    fn index_of(&self, second: u64) -> Option<usize> {
        let behind = self.spans.partition_point(|span| span.from_s <= second);
        behind.checked_sub(1)
    }

    /// Whether a span is about this second: the newest ones are about one second each.
    fn holds(&self, index: usize, second: u64) -> bool {
        let is_newest = index.saturating_add(1) == self.spans.len();
        let span = self.spans.get(index);
        span.is_some_and(|span| span.from_s == second || (!is_newest && span.from_s < second))
    }

    fn insert(&mut self, before: Option<usize>, second: u64) -> usize {
        let index = before.map_or(0, |before| before.saturating_add(1));
        let span = Span {
            from_s: second,
            epoch: self.epoch,
            starts: PerColor::default(),
        };
        self.spans.insert(index, span);
        self.compact(second);
        self.index_of(second).unwrap_or(index)
    }

    /// Joins spans that lie further back, and forgets the oldest.
    fn compact(&mut self, now_s: u64) {
        if let Some(young) = self.spans.len().checked_sub(Self::FINE)
            && let Some(old) = young.checked_sub(1)
            && let (Some(&one), Some(&other)) = (self.spans.get(old), self.spans.get(young))
            && one.epoch == other.epoch
            && one.from_s / Self::COARSE_S == other.from_s / Self::COARSE_S
        {
            self.spans.remove(young);
            if let Some(span) = self.spans.get_mut(old) {
                span.starts = PerColor::from_fn(|color| {
                    let (one, other) = (one.starts.of(color), other.starts.of(color));
                    one.saturating_add(*other)
                });
            }
        }
        let oldest_s = now_s.saturating_sub(Self::MAX_S);
        while self.spans.get(1).is_some_and(|it| it.from_s <= oldest_s) {
            self.spans.pop_front();
        }
    }
}

fn total(starts: &PerColor<u64>) -> u64 {
    starts.blue.saturating_add(starts.green)
}

/// Exact up to 2^32, which no window holds.
fn to_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
