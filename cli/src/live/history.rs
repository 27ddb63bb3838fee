//! What counters of a rollout have been over the last minutes.

use crate::live::figures::Figures;
use bluegreen::PerColor;
use std::collections::VecDeque;

/// The counters of both colors, moment by moment.
#[derive(Clone, Debug, Default)]
pub struct History {
    moments: VecDeque<(u64, PerColor<Figures>)>,
}

/// What has come in a stretch of time that ends with the last moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// How long it is, not zero.
    pub ms: u64,
    /// What has come.
    pub figures: PerColor<Figures>,
}

// === impl History ===

impl History {
    /// The longest stretch that is kept.
    pub const MAX_MS: u64 = 300_000;

    /// The last counters.
    pub fn last(&self) -> Option<&PerColor<Figures>> {
        self.moments.back().map(|(_, figures)| figures)
    }

    /// Adds what the counters are at a moment, by a clock that does not step.
    pub fn push(&mut self, at_ms: u64, figures: PerColor<Figures>) {
        self.moments.push_back((at_ms, figures));
        // The one before the longest stretch is its begin.
        while let Some(&(second, _)) = self.moments.get(1)
            && at_ms.saturating_sub(second) >= Self::MAX_MS
        {
            self.moments.pop_front();
        }
    }

    /// Forgets all: counters begin anew.
    pub fn clear(&mut self) {
        self.moments.clear();
    }

    /// The last stretch of this length, or as long as there is one; none of one moment alone.
    pub fn last_stretch(&self, ms: u64) -> Option<Stretch> {
        let (end, figures) = self.moments.back()?;
        let age = |(at, _): &(u64, _)| end.saturating_sub(*at);
        let begin = self.moments.partition_point(|moment| age(moment) > ms);
        let (at, before) = self.moments.get(begin)?;
        let ms = end.saturating_sub(*at);
        (ms > 0).then(|| Stretch {
            ms,
            figures: PerColor::from_fn(|color| figures.of(color).since(before.of(color))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(requests: f64) -> PerColor<Figures> {
        PerColor::from_fn(|_| Figures {
            requests,
            ..Figures::default()
        })
    }

    fn requests(history: &History, ms: u64) -> Option<(u64, f64)> {
        let stretch = history.last_stretch(ms)?;
        Some((
            stretch.ms,
            stretch.figures.of(bluegreen::Color::Blue).requests,
        ))
    }

    #[test]
    fn a_stretch_is_as_long_as_asked_or_known() {
        let mut history = History::default();
        history.push(1_000, figures(100.0));
        assert_eq!(requests(&history, 10_000), None);
        history.push(2_000, figures(105.0));
        history.push(3_000, figures(125.0));
        assert_eq!(requests(&history, 1_000), Some((1_000, 20.0)));
        assert_eq!(requests(&history, 10_000), Some((2_000, 25.0)));
        history.clear();
        assert_eq!(requests(&history, 10_000), None);
    }

    #[test]
    fn old_moments_are_forgotten() {
        let mut history = History::default();
        for second in 0..1_000_u32 {
            history.push(u64::from(second) * 1_000, figures(f64::from(second)));
        }
        assert_eq!(requests(&history, u64::MAX), Some((History::MAX_MS, 300.0)));
    }
}
