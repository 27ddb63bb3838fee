//! One rollout in force on one worker.

use super::clock;
use super::plugin::Plugin;
use super::rollout_state::RolloutState;
use crate::analysis::confidence_sequence::LimitVerdict;
use crate::analysis::guard::Guard;
use crate::analysis::incident::Origin;
use crate::analysis::quality_figures::QualityFigures;
use crate::policy::action::Action;
use crate::policy::decide::Decision;
use crate::policy::policy::Policy;
use crate::policy::ramp_begin::RampNotice;
use crate::policy::rollout::{Rollout, RolloutStatus};
use crate::policy::rollout_counts::Epoch;
use crate::policy::shared_store::HostStatus;
use crate::value::color::{Color, PerColor};
use crate::value::percent::Weights;
use log::{error, info, warn};
use std::cell::Cell;
use std::rc::Rc;

/// What belongs to a rollout beside its configuration.
pub struct RolloutRuntime {
    pub state: Rc<RolloutState>,
    /// Whether outcomes of its predictions are counted.
    pub measures: bool,
    /// Whether the answers of both colors are compared.
    pub compares: bool,
    /// Whether requests are copied to the canary.
    copies: Cell<bool>,
    /// Whether its guard goes by single requests.
    needs_incidents: bool,
    stable: Color,
    generation: Cell<u64>,
    status: Cell<RolloutStatus>,
    /// The weights in force, where time alone does not change them.
    fixed_weights: Cell<Option<Weights>>,
    is_defined: Cell<bool>,
}

/// Each metric takes Envoy some 30 µs, most of them for the tag rules, and a rollout has up to 165. With more
/// rollouts than this, a rollout's counters and histograms are defined when it is used first.
const MAX_DEFINED_AT_ONCE: usize = 100;

// === impl RolloutRuntime ===

impl RolloutRuntime {
    pub fn new(plugin: &Plugin, policy: &Policy, rollout: &Rollout) -> Result<Self, HostStatus> {
        let state = plugin.rollout_state(&rollout.name)?;
        let measures = rollout.measures();
        state.define_shown(rollout)?;
        let is_defined = policy.rollouts.len() <= MAX_DEFINED_AT_ONCE;
        if is_defined {
            state.define_counted(policy, rollout)?;
        }
        Ok(Self {
            state,
            measures,
            compares: rollout.compares(),
            copies: Cell::default(),
            needs_incidents: rollout.guard.as_ref().is_some_and(Guard::needs_incidents),
            stable: rollout.stable,
            generation: Cell::default(),
            status: Cell::default(),
            fixed_weights: Cell::default(),
            is_defined: Cell::new(is_defined),
        })
    }

    /// Defines what the rollout counts, where that was put off.
    pub fn define(&self, policy: &Policy, rollout: &Rollout) {
        if self.is_defined.replace(true) {
            return;
        }
        if let Err(status) = self.state.define_counted(policy, rollout) {
            let name = rollout.name.as_str();
            error!("rollout {name}: not all stats are there: {status}");
        }
    }

    /// The weights in force. The clock is read where a ramp goes by it.
    pub fn weights(&self, rollout: &Rollout) -> Weights {
        self.fixed_weights
            .get()
            .unwrap_or_else(|| rollout.weights_at(clock::wall_ms(), self.status.get()))
    }

    /// Whether requests are copied to the canary.
    pub fn copies(&self) -> bool {
        self.copies.get()
    }

    /// What a request counts for that is decided now. Guard and gate look at it where it is judged.
    pub fn origin(&self, decision: &Decision, is_judged: bool) -> Origin {
        let is_watched = self.needs_incidents && is_judged;
        Origin {
            color: decision.color,
            is_canary: decision.color != self.stable,
            generation: self.generation.get(),
            user: decision.user,
            began_s: is_watched.then(clock::second),
        }
    }

    /// Beyond which time to a response a request is slow that begins to wait now, where there is a guard that asks for
    /// it.
    pub fn slow_after_ns(&self, rollout: &Rollout) -> Option<u64> {
        rollout.slow_after_ns(self.status.get())
    }

    /// Learns what has become of the rollout, and what is counted from now on belongs to.
    pub fn learn(&self, rollout: &Rollout, status: RolloutStatus, epoch: Epoch) {
        self.status.set(status);
        self.copies.set(rollout.copies(status));
        self.fixed_weights.set(rollout.fixed_weights(status));
        self.generation.set(epoch.generation);
        self.state.begin_epoch(epoch);
    }

    fn show_weights(&self, weights: Weights) {
        for color in Color::ALL {
            self.state
                .weights
                .of(color)
                .set(weights.of(color).millipercent());
        }
    }

    /// Shows what holds as soon as the configuration is in force.
    pub fn announce(&self, rollout: &Rollout) {
        self.show_weights(self.weights(rollout));
        if let Some(metrics) = self.state.ramp.get()
            && let Some(step) = rollout.ramp_step(clock::wall_ms(), self.status.get())
        {
            metrics.show_step(step);
        }
    }

    /// Does what the core asks for.
    pub fn perform(&self, policy: &Policy, rollout: &Rollout, action: Action) {
        let (name, stable) = (rollout.name.as_str(), rollout.stable.as_str());
        match action {
            Action::RollBack { cause, reason } => {
                self.define(policy, rollout);
                if let Some(trips) = self.state.trips.get() {
                    trips.of(cause).increment();
                }
                warn!("rollout {name}: rolled back to {stable}: {reason}");
            }
            Action::SetSlowAfter(ns) => {
                info!(
                    "rollout {name}: a response is slow after {} ms",
                    ns / 1_000_000
                );
            }
            Action::ShowEvidence(evidence) => {
                if let Some(shown) = self.state.evidence.get() {
                    shown.show(evidence);
                }
            }
            Action::Promote(_) => {
                info!("rollout {name}: the quality gate is passed, the ramp goes on")
            }
            Action::Advance { reason, .. } => {
                if let Some(reason) = reason {
                    info!("rollout {name}: {reason}");
                }
            }
            Action::ReportRamp(RampNotice::AtFirstStep) => {
                info!("rollout {name}: the ramp begins at its first step");
            }
            Action::ReportRamp(RampNotice::AtLastStep) => {
                warn!(
                    "rollout {name}: the ramp begins at its last step: its start is too long past"
                );
            }
            Action::ReportRollback(cause) => {
                warn!(
                    "rollout {name}: stays rolled back to {stable} ({})",
                    cause.as_str()
                );
            }
            Action::ShowGuardState(state) => {
                if let Some(guard_state) = self.state.guard_state.get() {
                    guard_state.set(state as u32);
                }
            }
            Action::ShowOutcomes(outcomes) => {
                if outcomes != PerColor::default() {
                    self.define(policy, rollout);
                }
                if let Some(quality) = self.state.quality.get() {
                    for color in Color::ALL {
                        let outcomes = outcomes.of(color);
                        let figures = QualityFigures::new(outcomes, rollout.quality.as_ref());
                        quality.of(color).show(&figures);
                    }
                }
            }
            Action::ShowDisagreement(counts) => {
                let shadow = rollout.shadow.as_ref();
                let comparison = shadow.and_then(|it| it.comparison.as_ref());
                if let (Some(metrics), Some(it)) = (self.state.disagreement.get(), comparison) {
                    metrics.show(it.figure(&counts));
                }
            }
            Action::ShowScores(sums) => {
                if sums != PerColor::default() {
                    self.define(policy, rollout);
                }
                if let Some(quality) = &rollout.quality {
                    self.state.scores.show_scores(quality, &sums);
                }
            }
            Action::ShowVerdicts(verdicts) => {
                if verdicts.iter().any(|it| *it != LimitVerdict::Undecided) {
                    self.define(policy, rollout);
                }
                if let Some(quality) = &rollout.quality {
                    self.state.scores.show_verdicts(quality, &verdicts);
                }
            }
            Action::ShowWeights(weights) => self.show_weights(weights),
            Action::ShowRamp(ramp) => {
                if let Some(metrics) = self.state.ramp.get() {
                    metrics.show(ramp);
                }
            }
        }
    }
}
