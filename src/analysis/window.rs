//! The sliding window over growing counts that the guard judges by.

use crate::value::color::{Color, PerColor};
use std::collections::VecDeque;

/// What a color's requests came to, since a rollout's generation began or within a window.
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

/// Snapshots of growing counts, from which those of a sliding window are taken.
#[derive(Clone, Debug, Default)]
pub struct Window {
    snapshots: VecDeque<(u64, PerColor<Counts>)>,
    latest: Option<(u64, PerColor<Counts>)>,
}

// === impl Window ===

impl Window {
    /// How many snapshots a full window has: its begin is that much of its length exact.
    const SNAPSHOTS: u64 = 64;

    /// A window that begins now.
    pub fn starting(window_ms: u64, now_ms: u64, totals: PerColor<Counts>) -> Self {
        let mut window = Self::default();
        window.slide(window_ms, now_ms, totals);
        window
    }

    /// Takes the counts so far, and gives those since the window's begin. The first call begins the window,
    /// and so does one whose clock or counts have fallen: nothing is known of what came before.
    pub fn slide(
        &mut self,
        window_ms: u64,
        now_ms: u64,
        totals: PerColor<Counts>,
    ) -> PerColor<Counts> {
        let has_fallen = |&(at_ms, last): &(u64, PerColor<Counts>)| {
            at_ms > now_ms
                || Color::ALL
                    .into_iter()
                    .any(|color| totals.of(color).is_below(last.of(color)))
        };
        if self.latest.as_ref().is_some_and(has_fallen) {
            self.snapshots.clear();
        }
        self.latest = Some((now_ms, totals));
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

    /// Takes counts into all that is known: they were not counted within the window.
    pub fn add_before(&mut self, late: PerColor<Counts>) {
        let snapshots = self.snapshots.iter_mut().chain(self.latest.as_mut());
        for (_, counts) in snapshots {
            for color in Color::ALL {
                counts.of_mut(color).add(late.of(color));
            }
        }
    }

    /// Forgets all where nobody has looked for longer than the window is.
    pub fn drop_stale(&mut self, window_ms: u64, now_ms: u64) {
        if self
            .latest
            .is_some_and(|(at_ms, _)| now_ms.saturating_sub(at_ms) > window_ms)
        {
            *self = Self::default();
        }
    }
}

// === impl Counts ===

impl Counts {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.failed = self.failed.saturating_add(other.failed);
        self.timed = self.timed.saturating_add(other.timed);
        self.slow = self.slow.saturating_add(other.slow);
    }

    /// Counts a request that is over. A slow one was counted as such when that was known.
    pub fn add_finished(&mut self, has_failed: bool, is_slow: bool) {
        let finished = Self {
            requests: 1,
            failed: u64::from(has_failed),
            timed: u64::from(!is_slow),
            slow: 0,
        };
        self.add(&finished);
    }

    /// Counts a request that turned out to be slow.
    pub fn add_slow(&mut self) {
        self.timed = self.timed.saturating_add(1);
        self.slow = self.slow.saturating_add(1);
    }

    fn is_below(&self, last: &Self) -> bool {
        self.requests < last.requests
            || self.failed < last.failed
            || self.timed < last.timed
            || self.slow < last.slow
    }

    /// What has come since `begin` was counted.
    pub fn since(&self, begin: &Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(begin.requests),
            failed: self.failed.saturating_sub(begin.failed),
            timed: self.timed.saturating_sub(begin.timed),
            slow: self.slow.saturating_sub(begin.slow),
        }
    }
}
