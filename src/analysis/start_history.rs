//! How many requests of each color began when, from which the canary's share at a moment is known.

use crate::value::color::{Color, PerColor};
use crate::value::percent::Percent;
use std::collections::VecDeque;

/// Requests that began, by color and second. Of what lies further back, sixteen seconds are one.
#[derive(Clone, Debug, Default)]
pub struct StartHistory {
    older: VecDeque<Span>,
    recent: VecDeque<Span>,
    weights: SpanWeights,
    /// Until this second each stands for itself, since the weights just changed; and the canary's highest weight.
    unsettled: Option<(u64, Percent)>,
}

/// Requests that began in the seconds from one to the next span's.
#[derive(Clone, Copy, Debug)]
struct Span {
    from_s: u64,
    weights: SpanWeights,
    starts: PerColor<u64>,
}

/// Which weights were in force.
#[derive(Clone, Copy, Debug, Default)]
struct SpanWeights {
    /// Spans of another epoch say nothing about this one's share.
    epoch: u64,
    /// What the canary was to get of the requests.
    canary: Percent,
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

    /// Whether the canary's share falls short of its weight shows over so many requests.
    const WANTED_FOR_WEIGHT: u64 = 4_096;

    /// In this second the weights change. Workers learn it at different moments, so that the seconds around it are of
    /// neither epoch.
    pub fn begin_weights(&mut self, second: u64, canary: Percent) {
        let highest = self.weights.canary.max(canary);
        self.weights.canary = highest;
        let doubtful = self.recent.iter_mut().rev();
        for span in doubtful.take_while(|it| it.from_s >= second.saturating_sub(1)) {
            self.weights.epoch = self.weights.epoch.saturating_add(1);
            span.weights = self.weights;
        }
        self.begin_epoch();
        self.weights.canary = canary;
        self.unsettled = Some((second.saturating_add(1), highest));
    }

    /// Requests of a color began in a second. What is negative takes some back.
    pub fn add(&mut self, second: u64, color: Color, count: i64) {
        if self.recent.back().is_none_or(|it| it.from_s < second) {
            self.begin_span(second);
        }
        let mut spans = self
            .recent
            .iter_mut()
            .rev()
            .chain(self.older.iter_mut().rev());
        if let Some(span) = spans.find(|it| it.from_s <= second) {
            let starts = span.starts.of_mut(color);
            *starts = starts.saturating_add_signed(count);
        }
    }

    /// The canary's share of the requests that began in a second and just before it, under the same weights. None where
    /// nothing is known of that time. At least so many of the canary's requests are known from elsewhere.
    ///
    /// Where the canary gets less than its weight, as when one stable user sends more than all others, the share is
    /// raised as much as its weight exceeds what it gets.
    pub fn share(&self, second: u64, canary: Color, at_least: u64) -> Option<f64> {
        let spans = self.recent.iter().rev().chain(self.older.iter().rev());
        let mut spans = spans.skip_while(|it| it.from_s > second).peekable();
        let weights = spans.peek()?.weights;
        let begin_s = second.saturating_sub(Self::WANTED_WITHIN_S);
        let mut sum = PerColor::<u64>::default();
        let mut near = None;
        for span in spans.take_while(|it| it.weights.epoch == weights.epoch) {
            let so_far = total(&sum);
            if so_far >= Self::WANTED || (so_far > 0 && span.from_s < begin_s) {
                near = near.or(Some(sum));
            }
            if so_far >= Self::WANTED_FOR_WEIGHT {
                break;
            }
            for color in Color::ALL {
                let starts = sum.of_mut(color);
                *starts = starts.saturating_add(*span.starts.of(color));
            }
        }
        let near = near.unwrap_or(sum);
        let canary_of = |sum: &PerColor<u64>| to_f64((*sum.of(canary)).max(at_least));
        let stable_of = |sum: &PerColor<u64>| to_f64(*sum.of(canary.other()));
        let weight = f64::from(weights.canary.millipercent());
        let rest = f64::from(weights.canary.rest().millipercent());
        if total(&sum) == 0 {
            return None;
        }
        if canary_of(&sum) == 0.0 || rest == 0.0 {
            return Some(weight / (weight + rest));
        }
        // How many times the odds by the weights exceed those that are seen.
        let raise = (weight * stable_of(&sum)) / (rest * canary_of(&sum));
        // So many requests take a while: half the weight counts from the first on.
        let least = stable_of(&near) * weight / rest / 2.0;
        let canary = (canary_of(&near) * raise.max(1.0)).max(least);
        Some(canary / (canary + stable_of(&near)).max(f64::MIN_POSITIVE))
    }

    fn begin_span(&mut self, second: u64) {
        let (until_s, highest) = self.unsettled.unwrap_or_default();
        let mut weights = self.weights;
        if second <= until_s {
            weights.canary = highest;
            self.begin_epoch();
            weights.epoch = self.weights.epoch;
            self.begin_epoch();
        }
        self.recent.push_back(Span {
            from_s: second,
            weights,
            starts: PerColor::default(),
        });
        self.compact(second);
    }

    fn begin_epoch(&mut self) {
        self.weights.epoch = self.weights.epoch.saturating_add(1);
    }

    /// Joins spans that lie further back, and forgets the oldest.
    fn compact(&mut self, now_s: u64) {
        while self.recent.len() > Self::FINE
            && let Some(span) = self.recent.pop_front()
        {
            match self.older.back_mut() {
                Some(last) if last.is_joined_with(&span) => last.join(&span),
                _ => self.older.push_back(span),
            }
        }
        let oldest_s = now_s.saturating_sub(Self::MAX_S);
        while self.older.front().is_some_and(|it| it.from_s < oldest_s) {
            self.older.pop_front();
        }
    }
}

// === impl Span ===

impl Span {
    fn is_joined_with(&self, next: &Self) -> bool {
        self.weights.epoch == next.weights.epoch
            && self.from_s / StartHistory::COARSE_S == next.from_s / StartHistory::COARSE_S
    }

    fn join(&mut self, next: &Self) {
        for color in Color::ALL {
            let starts = self.starts.of_mut(color);
            *starts = starts.saturating_add(*next.starts.of(color));
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
