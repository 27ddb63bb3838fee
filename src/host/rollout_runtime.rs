//! One rollout in force on one worker.

use super::clock;
use super::plugin::Plugin;
use super::rollout_state::RolloutState;
use crate::policy::action::Todo;
use crate::policy::policy::Policy;
use crate::policy::rollout::{Rollout, RolloutStatus};
use crate::policy::rollout_counts::Epoch;
use crate::policy::shared_store::HostStatus;
use crate::value::color::Color;
use crate::value::percent::Weights;
use log::{info, warn};
use std::cell::Cell;
use std::rc::Rc;

/// What belongs to a rollout beside its configuration.
pub struct RolloutRuntime {
    pub state: Rc<RolloutState>,
    /// Whether outcomes of its predictions are counted.
    pub measures: bool,
    generation: Cell<u64>,
    status: Cell<RolloutStatus>,
}

// === impl RolloutRuntime ===

impl RolloutRuntime {
    pub fn new(plugin: &Plugin, policy: &Policy, rollout: &Rollout) -> Result<Self, HostStatus> {
        let state = plugin.rollout_state(&rollout.name)?;
        let measures = policy.measures(rollout);
        state.define_features(policy, rollout)?;
        Ok(Self {
            state,
            measures,
            generation: Cell::default(),
            status: Cell::default(),
        })
    }

    /// The weights in force. The clock is read where a ramp goes by it.
    pub fn weights(&self, rollout: &Rollout) -> Weights {
        let wall_ms = if rollout.ramp.is_some() {
            clock::wall_ms()
        } else {
            0
        };
        rollout.weights_at(wall_ms, self.status.get())
    }

    /// What requests count for that are decided now.
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Learns what has become of the rollout, and what is counted from now on belongs to.
    pub fn learn(&self, status: RolloutStatus, epoch: Epoch) {
        self.status.set(status);
        self.generation.set(epoch.generation);
        self.state.begin_epoch(epoch);
    }

    fn show_weights(&self, weights: Weights) {
        for color in Color::ALL {
            let gauge = self.state.colors.of(color).weight_millipercent;
            gauge.set(weights.of(color).millipercent());
        }
    }

    /// Shows what holds as soon as the configuration is in force.
    pub fn announce(&self, rollout: &Rollout) {
        self.show_weights(self.weights(rollout));
    }

    /// Does what the core asks for.
    pub fn perform(&self, rollout: &Rollout, todo: Todo) {
        let (name, stable) = (rollout.name.as_str(), rollout.stable.as_str());
        match todo {
            Todo::RollBack { cause, reason } => {
                if let Some(analysis) = self.state.analysis.get() {
                    analysis.trips(cause).increment();
                }
                warn!("rollout {name}: rolled back to {stable}: {reason}");
            }
            Todo::Promote => info!("rollout {name}: the quality gate is passed, the ramp goes on"),
            Todo::ReportRollback(cause) => {
                warn!(
                    "rollout {name}: stays rolled back to {stable} ({})",
                    cause.as_str()
                );
            }
            Todo::ShowGuardState(state) => {
                if let Some(analysis) = self.state.analysis.get() {
                    analysis.state.set(state as u32);
                }
            }
            Todo::ShowOutcomes(outcomes) => {
                if let Some(quality) = self.state.quality.get() {
                    for color in Color::ALL {
                        quality.of(color).show(outcomes.of(color));
                    }
                }
            }
            Todo::ShowWeights(weights) => self.show_weights(weights),
        }
    }
}
