//! What one VM keeps of a rollout through all configurations.

use super::metrics::{
    ColorMetrics, GuardMetrics, QualityMetrics, RampMetrics, StreamMetrics, TripMetrics,
    define_weights,
};
use super::proxy_wasm::metric::{Counter, Gauge, get_or_define};
use crate::analysis::quality::{Outcome, Outcomes};
use crate::analysis::window::Counts;
use crate::metrics;
use crate::policy::policy::Policy;
use crate::policy::rollout::Rollout;
use crate::policy::rollout_counts::{Epoch, RolloutCounts};
use crate::policy::shared_store::HostStatus;
use crate::value::color::{Color, PerColor};
use crate::value::name::RolloutName;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

/// Metrics, which belong to the VM, and what it has counted. Metrics of a feature are there once it was used.
#[derive(Debug)]
pub struct RolloutState {
    pub weights: PerColor<Gauge>,
    pub guard_state: OnceCell<Gauge>,
    pub ramp: OnceCell<RampMetrics>,
    pub colors: OnceCell<PerColor<ColorMetrics>>,
    pub streams: OnceCell<PerColor<StreamMetrics>>,
    pub override_denied: OnceCell<Counter>,
    pub guard: OnceCell<PerColor<GuardMetrics>>,
    pub trips: OnceCell<TripMetrics>,
    pub quality: OnceCell<PerColor<QualityMetrics>>,
    counts: RefCell<RolloutCounts>,
    /// How much of the counts the guard's metrics show.
    shown: RefCell<PerColor<Counts>>,
    /// Whether the VM has counted something that the others do not know.
    has_counted: Rc<Cell<bool>>,
}

// === impl RolloutState ===

impl RolloutState {
    pub fn define(name: &RolloutName, has_counted: Rc<Cell<bool>>) -> Result<Self, HostStatus> {
        Ok(Self {
            weights: define_weights(name)?,
            guard_state: OnceCell::new(),
            ramp: OnceCell::new(),
            colors: OnceCell::new(),
            streams: OnceCell::new(),
            override_denied: OnceCell::new(),
            guard: OnceCell::new(),
            trips: OnceCell::new(),
            quality: OnceCell::new(),
            counts: RefCell::default(),
            shown: RefCell::default(),
            has_counted,
        })
    }

    /// Defines what a rollout shows without a request.
    pub fn define_shown(&self, rollout: &Rollout) -> Result<(), HostStatus> {
        if rollout.guard.is_some() || rollout.quality.is_some() {
            let define = || Gauge::define(&metrics::guard_state(&rollout.name));
            get_or_define(&self.guard_state, define)?;
        }
        if rollout.ramp.is_some() {
            get_or_define(&self.ramp, || RampMetrics::define(&rollout.name))?;
        }
        Ok(())
    }

    /// Defines what a rollout counts, by the features that it uses.
    pub fn define_counted(&self, policy: &Policy, rollout: &Rollout) -> Result<(), HostStatus> {
        let name = &rollout.name;
        get_or_define(&self.colors, || ColorMetrics::define(name))?;
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
            get_or_define(&self.trips, || TripMetrics::define(name))?;
        }
        if policy.measures(rollout) {
            get_or_define(&self.quality, || QualityMetrics::define(name))?;
        }
        Ok(())
    }

    /// What is counted from now on belongs to this epoch.
    pub fn begin_epoch(&self, epoch: Epoch) {
        self.show_counts();
        let mut counts = self.counts.borrow_mut();
        if counts.begin(epoch) {
            self.has_counted.set(true);
        }
        *self.shown.borrow_mut() = counts.requests;
    }

    /// Counts a request that was decided under a generation, unless another has begun. Says whether it did.
    pub fn count(&self, generation: u64, color: Color, count: impl FnOnce(&mut Counts)) -> bool {
        let mut counts = self.counts.borrow_mut();
        let is_current = counts.epoch.generation == generation;
        if is_current {
            count(counts.requests.of_mut(color));
            self.has_counted.set(true);
        }
        is_current
    }

    /// Counts the outcome that came with a response.
    pub fn count_outcome(&self, generation: u64, color: Color, kind: Outcome) {
        if self.counts.borrow().epoch.generation == generation {
            let outcomes = Outcomes::from_fn(|it| u64::from(it == kind));
            self.add_outcomes(color, &outcomes);
        }
    }

    /// Counts outcomes of a color's release.
    pub fn add_outcomes(&self, color: Color, outcomes: &Outcomes) {
        self.counts
            .borrow_mut()
            .outcomes
            .of_mut(color)
            .add(outcomes);
        if let Some(quality) = self.quality.get() {
            quality.of(color).count(outcomes);
        }
        self.has_counted.set(true);
    }

    /// What was counted, and how much of it the guard's metrics do not show yet.
    pub fn counts(&self) -> RolloutCounts {
        self.show_counts();
        *self.counts.borrow()
    }

    fn show_counts(&self) {
        let Some(guard) = self.guard.get() else {
            return;
        };
        let requests = self.counts.borrow().requests;
        let shown = self.shown.replace(requests);
        for color in Color::ALL {
            let new = requests.of(color).since(shown.of(color));
            guard.of(color).finished.add(new.requests);
            guard.of(color).slow.add(new.slow);
        }
    }

    /// Counts a request that is slow, unless another generation has begun. Says whether it did.
    pub fn count_slow(&self, generation: u64, color: Color) -> bool {
        self.count(generation, color, Counts::add_slow)
    }

    /// Ends what the configuration in force no longer asks for: stats do not stay at what they showed last.
    /// There is no `rollout` where it is gone altogether.
    pub fn retire(&self, rollout: Option<&Rollout>) {
        let is_judged = rollout.is_some_and(|it| it.guard.is_some() || it.quality.is_some());
        if let (false, Some(guard_state)) = (is_judged, self.guard_state.get()) {
            guard_state.set(0_u32);
        }
        let is_ramped = rollout.is_some_and(|it| it.ramp.is_some());
        if let (false, Some(ramp)) = (is_ramped, self.ramp.get()) {
            ramp.retire();
        }
        if rollout.is_none() {
            for color in Color::ALL {
                self.weights.of(color).set(0_u32);
            }
        }
    }
}
