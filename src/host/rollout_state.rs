//! What one VM keeps of a rollout through all configurations.

use super::metric::{Counter, get_or_define};
use super::metrics::{AnalysisMetrics, ColorMetrics, GuardMetrics, QualityMetrics, StreamMetrics};
use super::proxy_wasm::calls::HostStatus;
use crate::analysis::window::{Counts, Window};
use crate::metrics;
use crate::policy::policy::Policy;
use crate::policy::rollout::Rollout;
use crate::value::color::{Color, PerColor};
use crate::value::name::RolloutName;
use slab::Slab;
use std::cell::{Cell, OnceCell, RefCell};

/// Metrics, which belong to the VM, and what the guard has seen. Metrics of a feature are there once
/// a configuration has used it.
#[derive(Debug)]
pub struct RolloutState {
    pub colors: PerColor<ColorMetrics>,
    pub streams: OnceCell<PerColor<StreamMetrics>>,
    pub override_denied: OnceCell<Counter>,
    pub guard: OnceCell<PerColor<GuardMetrics>>,
    pub verdict: OnceCell<AnalysisMetrics>,
    pub quality: OnceCell<PerColor<QualityMetrics>>,
    /// How many lanes have begun to look after the rollout; the last of them does.
    lanes: Cell<u32>,
    /// Whether something has happened since the last tick that may change a judgement.
    has_news: Cell<bool>,
    waiting: RefCell<Slab<Waiting>>,
    window: RefCell<(u64, Window)>,
}

/// A request that waits for its response.
#[derive(Debug)]
struct Waiting {
    color: Color,
    since_ns: u64,
    has_counted: bool,
}

/// A place among the requests that wait.
#[derive(Debug)]
pub struct WaitingKey(usize);

// === impl RolloutState ===

impl RolloutState {
    pub fn define(name: &RolloutName) -> Result<Self, HostStatus> {
        Ok(Self {
            colors: ColorMetrics::define(name)?,
            streams: OnceCell::new(),
            override_denied: OnceCell::new(),
            guard: OnceCell::new(),
            verdict: OnceCell::new(),
            quality: OnceCell::new(),
            lanes: Cell::default(),
            has_news: Cell::default(),
            waiting: RefCell::default(),
            window: RefCell::default(),
        })
    }

    /// A lane begins to look after the rollout. It gets its number.
    pub fn begin_lane(&self) -> u32 {
        self.lanes.set(self.lanes.get().wrapping_add(1));
        self.lanes.get()
    }

    /// Whether no lane has begun after the one of this number.
    pub fn is_last_lane(&self, number: u32) -> bool {
        self.lanes.get() == number
    }

    /// Something happened that may change a judgement.
    pub fn note_news(&self) {
        self.has_news.set(true);
    }

    /// Whether there is something to judge since the last time that this was asked.
    pub fn take_news(&self) -> bool {
        self.has_news.take() || !self.waiting.borrow().is_empty()
    }

    /// Defines the metrics of the features that a rollout uses.
    pub fn define_features(&self, policy: &Policy, rollout: &Rollout) -> Result<(), HostStatus> {
        let name = &rollout.name;
        if policy.profile.shows_streams() {
            get_or_define(&self.streams, || StreamMetrics::define(name))?;
        }
        if rollout.overrides.is_some() {
            let define = || Counter::define(&metrics::override_denied_total(name));
            get_or_define(&self.override_denied, define)?;
        }
        if rollout.guard.is_some() {
            get_or_define(&self.guard, || GuardMetrics::define(name))?;
        }
        if rollout.guard.is_some() || rollout.quality.is_some() {
            get_or_define(&self.verdict, || AnalysisMetrics::define(name))?;
        }
        if policy.measures(rollout) {
            get_or_define(&self.quality, || QualityMetrics::define(name))?;
        }
        Ok(())
    }

    /// A request begins to wait.
    pub fn wait(&self, color: Color, since_ns: u64) -> WaitingKey {
        WaitingKey(self.waiting.borrow_mut().insert(Waiting {
            color,
            since_ns,
            has_counted: false,
        }))
    }

    /// A request waits no longer. Says whether it has counted as slow in the meantime.
    pub fn end_wait(&self, key: WaitingKey) -> bool {
        let waiting = self.waiting.borrow_mut().try_remove(key.0);
        waiting.is_some_and(|waiting| waiting.has_counted)
    }

    /// Counts the requests as slow that have been waiting since before a time.
    pub fn count_waiting(&self, before_ns: u64) {
        let Some(guard) = self.guard.get() else {
            return;
        };
        for (_, waiting) in self.waiting.borrow_mut().iter_mut() {
            if waiting.since_ns < before_ns && !waiting.has_counted {
                waiting.has_counted = true;
                guard.of(waiting.color).slow.increment();
            }
        }
    }

    /// The tallies of the guard's window. Another digest begins another window.
    pub fn tallies(&self, digest: u64, window_ms: u64, now_ms: u64) -> PerColor<Counts> {
        let totals = PerColor::from_fn(|color| self.total(color));
        let mut window = self.window.borrow_mut();
        if window.0 != digest {
            *window = (digest, Window::default());
        }
        window.1.slide(window_ms, now_ms, totals)
    }

    /// Ends what the configuration in force no longer asks for: a later guard begins afresh, and stats do
    /// not stay at what they showed last. There is no `rollout` where it is gone altogether.
    pub fn retire(&self, rollout: Option<&Rollout>) {
        let has_guard = rollout.is_some_and(|rollout| rollout.guard.is_some());
        let has_quality = rollout.is_some_and(|rollout| rollout.quality.is_some());
        if !has_guard {
            *self.window.borrow_mut() = Default::default();
        }
        if let (false, Some(verdict)) = (has_guard || has_quality, self.verdict.get()) {
            verdict.state.set(0_u32);
        }
        if rollout.is_none() {
            for color in Color::ALL {
                self.colors.of(color).weight_millipercent.set(0_u32);
            }
        }
    }

    fn total(&self, color: Color) -> Counts {
        let Some(guard) = self.guard.get() else {
            return Counts::default();
        };
        let guard = guard.of(color);
        // Parts before their whole, so that no request that comes in between makes them larger than it.
        let (failed, slow_finished) = (
            self.colors.of(color).failures.value(),
            guard.slow_finished.value(),
        );
        let requests = guard.finished.value();
        let slow = guard.slow.value();
        Counts {
            requests,
            failed,
            timed: requests.saturating_sub(slow_finished).saturating_add(slow),
            slow,
        }
    }
}
