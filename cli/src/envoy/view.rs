//! How a rollout does in one Envoy.

use crate::envoy::in_force::{InForce, RolloutState};
use crate::json::tree::Tree;
use crate::ramp::RampView;
use crate::show::weights_json;
use bluegreen::{Color, Percent};
use serde_json::{Value, json};

/// One rollout in one Envoy.
#[derive(Debug)]
pub struct RolloutView {
    /// Its name.
    pub name: String,
    /// What Envoy shows.
    pub state: RolloutState,
    /// How far it is.
    pub phase: Phase,
    /// The step in force, and how many there are.
    pub step: Option<(usize, usize)>,
}

/// How far a rollout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// All traffic is on the stable color again.
    RolledBack,
    /// The ramp is at a step that is never left by itself.
    Paused,
    /// The ramp waits for what Envoy has yet to see.
    Waiting,
    /// The ramp goes by the clock.
    Ramping,
    /// There are too few requests to judge.
    Inconclusive,
    /// Nothing is to be done.
    Healthy,
}

/// Where a ramp stands; of no ramp, that it is over.
#[derive(Clone, Copy, Debug)]
pub struct RampStand {
    /// Whether its start is past.
    pub has_started: bool,
    /// Whether the step in force is never left by itself.
    pub is_paused: bool,
    /// Whether the step in force is the last.
    pub is_last: bool,
}

// === impl RolloutView ===

impl RolloutView {
    /// Of what an Envoy shows; none of a rollout that it has no weight of. `tree` is the configuration in force.
    pub fn of(name: String, in_force: &InForce, tree: Option<&Tree>) -> Option<Self> {
        let state = in_force.state(&name)?;
        let policy = in_force.policy.as_ref();
        let place = policy.and_then(|policy| Some((policy, policy.named(&name)?)));
        let rollout = place.and_then(|(policy, index)| policy.rollouts.get(index));
        let item = place.and_then(|(_, index)| tree?.get("rollouts")?.items().get(index));
        let ramp = item.and_then(RampView::of);
        let canary = rollout.map(|it| state.weights.of(it.stable.other()));
        let by_weight =
            |ramp: &RampView<'_>| ramp.steps.iter().rposition(|it| Some(it.weight) == canary);
        let step = ramp.as_ref().and_then(|ramp| {
            let step = state.step.or_else(|| by_weight(ramp))?;
            Some((step, ramp.steps.len()))
        });
        let present = ramp
            .as_ref()
            .zip(step)
            .and_then(|(ramp, (step, _))| ramp.steps.get(step));
        let phase = Phase::of(
            &state,
            canary,
            RampStand {
                has_started: ramp.is_none() || step.is_some(),
                is_paused: present.is_some_and(|it| it.is_paused),
                is_last: step.is_none_or(|(step, count)| step + 1 >= count),
            },
        );
        Some(Self {
            name,
            state,
            phase,
            step,
        })
    }

    /// As a line of a table.
    pub fn cells(&self) -> Vec<String> {
        let percent = |color| format!("{} %", self.state.weights.of(color));
        let step = self
            .step
            .map(|(step, count)| format!("{} of {count}", step + 1));
        vec![
            self.name.clone(),
            self.phase.as_str().to_owned(),
            percent(Color::Blue),
            percent(Color::Green),
            step.unwrap_or_else(|| "-".to_owned()),
        ]
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "rollout": self.name,
            "state": self.phase.as_str(),
            "weights": weights_json(self.state.weights),
            "step": self.step.map(|(step, _)| step),
            "steps": self.step.map(|(_, count)| count),
        })
    }
}

// === impl Phase ===

impl Phase {
    /// Of what Envoy shows. `canary` is the weight of the color that is not stable, where that is known.
    pub fn of(state: &RolloutState, canary: Option<Percent>, ramp: RampStand) -> Self {
        if state.is_rolled_back {
            Self::RolledBack
        } else if ramp.is_paused {
            Self::Paused
        } else if state.is_waiting {
            Self::Waiting
        } else if !ramp.is_last || !ramp.has_started {
            Self::Ramping
        } else if state.is_inconclusive && canary != Some(Percent::ZERO) {
            Self::Inconclusive
        } else {
            Self::Healthy
        }
    }

    /// In one character, as Argo Rollouts has it.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::RolledBack => "✖",
            Self::Paused | Self::Waiting => "॥",
            Self::Ramping | Self::Inconclusive => "◌",
            Self::Healthy => "✔",
        }
    }

    /// Whether nothing more will happen by itself.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Inconclusive | Self::Healthy)
    }

    /// The words for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RolledBack => "rolled back",
            Self::Paused => "paused",
            Self::Waiting => "waiting",
            Self::Ramping => "ramping",
            Self::Inconclusive => "too few requests",
            Self::Healthy => "healthy",
        }
    }
}
