//! One rollout in force on one worker: carries figures to the core and its verdicts to all workers.

use super::proxy_wasm::calls::HostStatus;
use super::rollout_state::RolloutState;
use super::shared;
use super::vm;
use crate::analysis::guard::{Analysis, Cause, Guard};
use crate::analysis::quality::{Outcomes, Quality, QualityAnalysis};
use crate::policy::policy::Policy;
use crate::policy::rollout::{Rollout, RolloutStatus};
use crate::policy::shared_state::{Entry, Release, SharedState, about, write_once};
use crate::value::color::{Color, PerColor};
use crate::value::percent::{Percent, Weights};
use log::{error, info, warn};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// What belongs to a rollout beside its configuration.
pub struct RolloutRuntime {
    pub state: Rc<RolloutState>,
    /// Whether outcomes of its predictions are counted.
    pub measures: bool,
    digest: u64,
    gate_digest: u64,
    is_watched: bool,
    number: Cell<u32>,
    standing: Cell<RolloutStatus>,
    releases: RefCell<PerColor<Option<Release>>>,
    shown_outcomes: Cell<Option<PerColor<Outcomes>>>,
    shown_weights: Cell<Weights>,
}

/// Values of the stat `guard_state`.
#[derive(Clone, Copy)]
enum GuardState {
    Watching = 0,
    TooFew = 1,
    Tripped = 2,
}

// === impl RolloutRuntime ===

impl RolloutRuntime {
    pub fn new(policy: &Policy, rollout: &Rollout) -> Result<Self, HostStatus> {
        let state = vm::rollout_state(&rollout.name)?;
        let measures = policy.measures(rollout);
        state.define_features(policy, rollout)?;
        Ok(Self {
            state,
            measures,
            digest: rollout.digest(),
            gate_digest: rollout.gate_digest(),
            is_watched: measures || rollout.guard.is_some() || rollout.ramp.is_some(),
            number: Cell::default(),
            standing: Cell::default(),
            releases: RefCell::default(),
            shown_outcomes: Cell::default(),
            shown_weights: Cell::new(rollout.weights),
        })
    }

    /// Whether the rollout goes on, or back, by itself.
    pub fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// The weights in force.
    pub fn weights(&self, rollout: &Rollout, now_ms: u64) -> Weights {
        rollout.weights_at(now_ms, self.standing.get())
    }

    /// Opens the rollout's entry in the ledger. Says whether there was something to change.
    pub fn open(&self, rollout: &Rollout, ledger: &mut SharedState) -> bool {
        if !self.measures && ledger.entry(&rollout.name).is_none() {
            return false;
        }
        let entry = ledger.entry_mut(&rollout.name);
        let before = entry.clone();
        entry.trip = about(entry.trip, self.digest);
        entry.promoted = about(entry.promoted, self.gate_digest);
        if let Some(quality) = self.state.quality.get().filter(|_| self.measures) {
            for color in Color::ALL {
                let label = rollout.releases.of(color).as_ref();
                entry.begin_release(color, label, quality.of(color).counted());
            }
        }
        *entry != before
    }

    /// Begins to look after the rollout: at the first tick, and through the guard's window, which may
    /// have begun under an earlier configuration.
    pub fn begin(&self, rollout: &Rollout, now_ms: u64) {
        self.number.set(self.state.begin_lane());
        if let Some(guard) = &rollout.guard {
            self.state.tallies(self.digest, guard.window_ms, now_ms);
        }
        self.state.note_news();
    }

    /// Learns what any worker has written. A rollback is not unlearnt: it ends with the configuration.
    pub fn learn(&self, entry: &Entry) {
        let trip = about(entry.trip, self.digest);
        let promoted = about(entry.promoted, self.gate_digest);
        let standing = self.standing.get();
        self.standing.set(RolloutStatus {
            tripped: standing.tripped.or(trip.map(|(_, cause)| cause)),
            promoted_at_ms: standing.promoted_at_ms.or(promoted.map(|(_, at_ms)| at_ms)),
        });
        *self.releases.borrow_mut() = entry.releases.clone();
    }

    /// Looks after the rollout: its weights at once, and by `refresh` or where there are news all else.
    /// Envoy keeps a configuration that is in force no longer ticking while it has streams; its lanes
    /// leave that to those behind them.
    pub fn tick(&self, rollout: &Rollout, now_ns: u64, refresh: bool) {
        if !self.state.is_last_lane(self.number.get()) {
            return;
        }
        let now_ms = now_ns / 1_000_000;
        let refresh = self.state.take_news() || refresh;
        if refresh {
            self.judge(rollout, now_ns);
        }
        if refresh || self.weights(rollout, now_ms) != self.shown_weights.get() {
            self.show_weights(rollout, now_ms);
        }
    }

    fn judge(&self, rollout: &Rollout, now_ns: u64) {
        let mut state = GuardState::Watching;
        if self.measures {
            let outcomes = self.show_outcomes();
            if let Some(quality) = &rollout.quality {
                state = self.judge_quality(rollout, quality, &outcomes, now_ns / 1_000_000);
            }
        }
        if let Some(guard) = &rollout.guard {
            state = self.judge_guard(rollout, guard, now_ns);
        }
        if let Some(verdict) = self.state.verdict.get() {
            let tripped = self.standing.get().tripped.is_some();
            let state = if tripped { GuardState::Tripped } else { state };
            verdict.state.set(state as u32);
        }
    }

    /// Shows the weights in force.
    pub fn show_weights(&self, rollout: &Rollout, now_ms: u64) {
        let weights = self.weights(rollout, now_ms);
        self.shown_weights.set(weights);
        for color in Color::ALL {
            let gauge = self.state.colors.of(color).weight_millipercent;
            gauge.set(weights.of(color).millipercent());
        }
    }

    /// Shows the figures of each color's release, and gives its outcomes.
    pub fn show_outcomes(&self) -> PerColor<Outcomes> {
        let Some(quality) = self.state.quality.get() else {
            return PerColor::default();
        };
        let releases = self.releases.borrow();
        let outcomes = PerColor::from_fn(|color| {
            let counted = quality.of(color).counted();
            let release = releases.of(color).as_ref();
            release.map_or(counted, |release| release.since(counted))
        });
        if self.shown_outcomes.replace(Some(outcomes)) != Some(outcomes) {
            for color in Color::ALL {
                quality.of(color).show(outcomes.of(color));
            }
        }
        outcomes
    }

    fn judge_quality(
        &self,
        rollout: &Rollout,
        quality: &Quality,
        outcomes: &PerColor<Outcomes>,
        now_ms: u64,
    ) -> GuardState {
        if self.is_retired(rollout, now_ms) {
            return GuardState::Watching;
        }
        match quality.judge(rollout.stable, outcomes) {
            QualityAnalysis::Inconclusive => return GuardState::TooFew,
            QualityAnalysis::Passed => self.promoted(rollout, now_ms),
            QualityAnalysis::Failed(breach) => self.trip(rollout, Cause::Quality, &breach),
        }
        GuardState::Watching
    }

    /// Whether the color that is watched has nothing to lose: it serves nobody and no ramp will change
    /// that, as with the old release after a swap of roles.
    fn is_retired(&self, rollout: &Rollout, now_ms: u64) -> bool {
        let weight = self.weights(rollout, now_ms).of(rollout.stable.other());
        rollout.ramp.is_none() && weight == Percent::ZERO
    }

    fn judge_guard(&self, rollout: &Rollout, guard: &Guard, now_ns: u64) -> GuardState {
        if let Some(slow_after_ms) = guard.slow_after_ms {
            let slow_after_ns = slow_after_ms.saturating_mul(1_000_000);
            self.state
                .count_waiting(now_ns.saturating_sub(slow_after_ns));
        }
        let now_ms = now_ns / 1_000_000;
        let tallies = self.state.tallies(self.digest, guard.window_ms, now_ms);
        match guard.judge(rollout.stable, &tallies) {
            Analysis::Inconclusive => return GuardState::TooFew,
            Analysis::Passed => {}
            Analysis::Failed(breach) => self.trip(rollout, breach.cause, &breach),
        }
        GuardState::Watching
    }

    /// Rolls the rollout back, here at once, and on all workers by the ledger. The first to write it
    /// there counts and logs it.
    fn trip(&self, rollout: &Rollout, cause: Cause, why: &dyn fmt::Display) {
        let mut standing = self.standing.get();
        if standing.tripped.is_some() {
            return;
        }
        standing.tripped = Some(cause);
        self.standing.set(standing);
        let written = shared::edit(|ledger| {
            let entry = ledger.entry_mut(&rollout.name);
            write_once(&mut entry.trip, self.digest, cause)
        });
        let (name, stable) = (rollout.name.as_str(), rollout.stable.as_str());
        match written {
            Ok(true) => {
                if let Some(verdict) = self.state.verdict.get() {
                    verdict.trips(cause).increment();
                }
                warn!("rollout {name}: rolled back to {stable}: {why}");
            }
            Ok(false) => {}
            Err(status) => error!(
                "rollout {name}: rolled back to {stable} on this worker alone, since Envoy refuses \
                 a call (status {status}): {why}"
            ),
        }
    }

    fn promoted(&self, rollout: &Rollout, now_ms: u64) {
        if rollout.ramp.is_none() || self.standing.get().promoted_at_ms.is_some() {
            return;
        }
        let written = shared::edit(|ledger| {
            let entry = ledger.entry_mut(&rollout.name);
            write_once(&mut entry.promoted, self.gate_digest, now_ms)
        });
        let name = rollout.name.as_str();
        match written {
            Ok(true) => info!("rollout {name}: the quality gate lets the ramp on"),
            Ok(false) => {}
            Err(status) => {
                error!(
                    "rollout {name}: the ramp waits, since Envoy refuses a call (status {status})"
                );
            }
        }
    }
}
