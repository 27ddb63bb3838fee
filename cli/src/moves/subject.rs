//! The rollout that a move is about, and what is known of it.

use crate::envoy::in_force::RolloutState;
use crate::failure::Failure;
use crate::json::tree::Tree;
use crate::ramp::{RampView, StepAt};
use bluegreen::{Color, Percent, Rollout, RolloutStatus, Weights};

/// One rollout of a file.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The rollout.
    pub rollout: &'a Rollout,
    /// The same as it stands in the configuration.
    pub tree: &'a Tree,
    /// The configuration's text.
    pub json: &'a str,
    /// The time, in milliseconds since 1970.
    pub now_ms: u64,
    /// What an Envoy that has this configuration in force shows.
    pub live: Option<RolloutState>,
    /// The index of the ramp's step in force, where the operator says it.
    pub step: Option<usize>,
}

// === impl Subject ===

impl<'a> Subject<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        self.rollout.name.as_str()
    }

    /// The color that is not stable.
    pub const fn canary(&self) -> Color {
        self.rollout.stable.other()
    }

    /// The weights that give this much to the canary.
    pub const fn giving_canary(&self, percent: Percent) -> Weights {
        Weights::giving(self.canary(), percent)
    }

    /// Its ramp.
    pub fn ramp(&self) -> Option<RampView<'a>> {
        RampView::of(self.tree)
    }

    /// The index of the ramp's step in force; none before the ramp starts.
    ///
    /// # Errors
    /// Where only a running Envoy knows it, and none is asked.
    pub fn step(&self, ramp: &RampView<'_>) -> Result<Option<usize>, Failure> {
        let name = self.name();
        let count = ramp.steps.len();
        if let Some(step) = self.step {
            return if step < count {
                Ok(Some(step))
            } else {
                Err(Failure::usage(format!(
                    "{name}: --step {step}, must be 0 to {}",
                    count.saturating_sub(1)
                )))
            };
        }
        if let Some(live) = &self.live {
            return self.live_step(ramp, live);
        }
        match ramp.step_at(self.now_ms) {
            StepAt::BeforeStart => Ok(None),
            _ if self.rollout.waits_for_copies() => Err(Failure::finding(format!(
                "{name}: the ramp may still wait for copies of requests, so the file does not tell which step is in \
                 force: give --admin URL, or --step N as bluegreen_ramp_step shows it"
            ))),
            StepAt::Step(step) => Ok(Some(step)),
            StepAt::AtLeast(step) => Err(Failure::finding(format!(
                "{name}: step {step} of the ramp waits for what Envoy has seen, so the file does not tell which step \
                 is in force: give --admin URL, or --step N as bluegreen_ramp_step shows it"
            ))),
        }
    }

    /// The first step that waits for more than time, as far as the file tells: none where the file tells which step is
    /// in force, or an Envoy or the operator does.
    pub fn waiting_step(&self, ramp: &RampView<'_>) -> Option<usize> {
        match ramp.step_at(self.now_ms) {
            StepAt::AtLeast(step) if self.step.is_none() && self.live.is_none() => Some(step),
            _ => None,
        }
    }

    /// Whether the ramp may wait for copies of requests before its first step, as far as the file tells.
    pub fn may_wait_for_copies(&self, ramp: &RampView<'_>) -> bool {
        self.rollout.waits_for_copies()
            && (self.step.is_none() && self.live.is_none())
            && ramp.step_at(self.now_ms) != StepAt::BeforeStart
    }

    fn live_step(
        &self,
        ramp: &RampView<'_>,
        live: &RolloutState,
    ) -> Result<Option<usize>, Failure> {
        let weight = live.weights.of(self.canary());
        let step = live.step.filter(|&step| step < ramp.steps.len());
        let by_weight = || ramp.steps.iter().rposition(|step| step.weight == weight);
        match (step.or_else(by_weight), ramp.step_at(self.now_ms)) {
            (_, StepAt::BeforeStart) => Ok(None),
            _ if step.is_none() && self.rollout.waits_for_copies() => Ok(None),
            (Some(step), _) => Ok(Some(step)),
            (None, _) => Err(Failure::finding(format!(
                "{}: Envoy shows a weight of {weight} %, which is that of no step: give --step N",
                self.name()
            ))),
        }
    }

    /// The weights in force.
    ///
    /// # Errors
    /// As for [`Subject::step`].
    pub fn weights(&self) -> Result<Weights, Failure> {
        let Some(ramp) = self.ramp() else {
            return Ok(self.rollout.weights);
        };
        Ok(
            match self.step(&ramp)?.and_then(|step| ramp.steps.get(step)) {
                Some(step) => self.giving_canary(step.weight),
                None => self.rollout.weights,
            },
        )
    }

    /// What the file says of the weights now, whatever an Envoy has seen.
    pub fn weights_by_file(&self) -> Weights {
        self.rollout
            .weights_at(self.now_ms, RolloutStatus::default())
    }
}
