//! The sliding window through which the guard looks at ever-growing counters.

use crate::value::color::PerColor;
use std::collections::VecDeque;

/// What a color's requests came to, since Envoy's start or within a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that are finished.
    pub requests: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Requests of which is known whether they were slow: the finished ones, and those that still wait
    /// and are slow already.
    pub timed: u64,
    /// Those of them that were slow.
    pub slow: u64,
}

/// Snapshots of ever-growing tallies, from which those of a sliding window are taken.
#[derive(Clone, Debug, Default)]
pub struct Window {
    snapshots: VecDeque<(u64, PerColor<Counts>)>,
}

// === impl Window ===

impl Window {
    /// How many snapshots a full window has: its begin is that much of its length exact.
    const SNAPSHOTS: u64 = 64;

    /// Takes the tallies since Envoy's start, and gives those since the window's begin. The first call
    /// begins the window.
    pub fn slide(
        &mut self,
        window_ms: u64,
        now_ms: u64,
        totals: PerColor<Counts>,
    ) -> PerColor<Counts> {
        if self
            .snapshots
            .back()
            .is_some_and(|&(at_ms, _)| at_ms > now_ms)
        {
            // The clock went back: nothing is known of when those were taken.
            self.snapshots.clear();
        }
        let begin_ms = now_ms.saturating_sub(window_ms);
        while self
            .snapshots
            .get(1)
            .is_some_and(|(at_ms, _)| *at_ms <= begin_ms)
        {
            self.snapshots.pop_front();
        }
        let spacing_ms = window_ms / Self::SNAPSHOTS;
        let due = |&(at_ms, _): &(u64, _)| now_ms.saturating_sub(at_ms) >= spacing_ms;
        if self.snapshots.back().is_none_or(due) {
            self.snapshots.push_back((now_ms, totals));
        }
        let begin = self.snapshots.front().map_or(totals, |&(_, begin)| begin);
        PerColor::from_fn(|color| totals.of(color).since(begin.of(color)))
    }
}

// === impl Counts ===

impl Counts {
    fn since(&self, begin: &Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(begin.requests),
            failed: self.failed.saturating_sub(begin.failed),
            timed: self.timed.saturating_sub(begin.timed),
            slow: self.slow.saturating_sub(begin.slow),
        }
    }
}
