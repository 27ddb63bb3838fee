//! A schedule of weights: a function of the clock and the configuration alone.

use crate::error::Problem;
use crate::value::percent::Percent;

/// The weight of the color that is not stable, over time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ramp {
    start_ms: u64,
    steps: Vec<Step>,
}

/// A weight, and when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Step {
    weight: Percent,
    /// Behind the ramp's start.
    after_ms: u64,
}

/// Where a ramp waits until it is let on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The weight that it does not go above.
    pub at: Percent,
    /// When it was let on, in milliseconds since 1970.
    pub promoted_at_ms: Option<u64>,
}

// === impl Ramp ===

impl Ramp {
    /// `start_ms` is in milliseconds since 1970. Each step but the last has a time to hold.
    ///
    /// # Errors
    /// Where there is no step, weights fall, or holds stand where they should not; with the index of the step.
    pub fn new(
        start_ms: u64,
        steps: &[(Percent, Option<u64>)],
    ) -> Result<Self, (Option<usize>, Problem)> {
        let Some(last) = steps.len().checked_sub(1) else {
            return Err((None, Problem::RampEmpty));
        };
        let mut after_ms = 0_u64;
        let mut parsed: Vec<Step> = Vec::with_capacity(steps.len());
        for (index, &(weight, hold_ms)) in steps.iter().enumerate() {
            let before = parsed.last().map_or(Percent::ZERO, |step| step.weight);
            if weight < before {
                return Err((Some(index), Problem::RampFalls { before, weight }));
            }
            parsed.push(Step { weight, after_ms });
            after_ms = match hold_ms {
                Some(hold_ms) if index != last => after_ms.saturating_add(hold_ms),
                None if index == last => after_ms,
                Some(_) => return Err((Some(index), Problem::RampLastHold)),
                None => return Err((Some(index), Problem::RampNoHold)),
            };
        }
        Ok(Self {
            start_ms,
            steps: parsed,
        })
    }

    /// The weight of the first step.
    pub fn first_weight(&self) -> Percent {
        self.steps.first().map_or(Percent::ZERO, |step| step.weight)
    }

    /// The weight at a time in milliseconds since 1970; none before the start.
    pub fn weight_at(&self, now_ms: u64) -> Option<Percent> {
        let elapsed_ms = now_ms.checked_sub(self.start_ms)?;
        let begun = self
            .steps
            .iter()
            .take_while(|step| step.after_ms <= elapsed_ms);
        begun.last().map(|step| step.weight)
    }

    /// The weight at a time, where the ramp waits at a weight until it is let on. It then goes on with
    /// the step before which it waited, as late as it was let on.
    pub fn held_weight_at(&self, now_ms: u64, hold: Hold) -> Option<Percent> {
        let Some(beyond) = self.steps.iter().find(|step| step.weight > hold.at) else {
            return self.weight_at(now_ms);
        };
        let due_ms = self.start_ms.saturating_add(beyond.after_ms);
        match hold.promoted_at_ms {
            Some(promoted_at_ms) if promoted_at_ms <= now_ms => {
                let waited_ms = promoted_at_ms.saturating_sub(due_ms);
                self.weight_at(now_ms.saturating_sub(waited_ms))
            }
            _ => self.weight_at(now_ms).map(|weight| weight.min(hold.at)),
        }
    }
}
