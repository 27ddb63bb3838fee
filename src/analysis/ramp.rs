//! A schedule of weights: a function of the clock and the configuration alone.

use crate::value::percent::Percent;
use std::fmt;

/// The weight of the color that is not stable, over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ramp {
    start_ms: u64,
    steps: Vec<Step>,
}

/// A weight, and when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    weight: Percent,
    /// Behind the ramp's start.
    after_ms: u64,
}

/// Where a ramp waits until it is promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The weight that it does not go above.
    pub at: Percent,
    /// When it was promoted, in milliseconds since 1970.
    pub promoted_at_ms: Option<u64>,
}

/// Why a step can't be part of a ramp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidStep {
    /// There is no step at all.
    Missing,
    /// The weight is lower than before.
    Falls {
        /// The weight of the step before.
        before: Percent,
        /// Its own.
        weight: Percent,
    },
    /// It is the last and has a time to hold.
    LastHold,
    /// It is not the last and has no time to hold.
    NoHold,
}

// === impl Ramp ===

impl Ramp {
    /// `start_ms` is in milliseconds since 1970. Each step but the last has a time to hold.
    ///
    /// # Errors
    /// Where there is no step, weights fall, or holds are where they should not be: all that is wrong,
    /// each with the index of the step.
    pub fn new(
        start_ms: u64,
        steps: &[(Percent, Option<u64>)],
    ) -> Result<Self, Vec<(Option<usize>, InvalidStep)>> {
        let Some(last) = steps.len().checked_sub(1) else {
            return Err(vec![(None, InvalidStep::Missing)]);
        };
        let mut problems = Vec::new();
        let mut after_ms = 0_u64;
        let mut parsed: Vec<Step> = Vec::with_capacity(steps.len());
        for (index, &(weight, hold_ms)) in steps.iter().enumerate() {
            let before = parsed.last().map_or(Percent::ZERO, |step| step.weight);
            if weight < before {
                problems.push((Some(index), InvalidStep::Falls { before, weight }));
            }
            parsed.push(Step { weight, after_ms });
            after_ms = match hold_ms {
                Some(hold_ms) if index != last => after_ms.saturating_add(hold_ms),
                None if index == last => after_ms,
                Some(_) => {
                    problems.push((Some(index), InvalidStep::LastHold));
                    after_ms
                }
                None => {
                    problems.push((Some(index), InvalidStep::NoHold));
                    after_ms
                }
            };
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            start_ms,
            steps: parsed,
        })
    }

    /// When it starts, in milliseconds since 1970.
    pub const fn start_ms(&self) -> u64 {
        self.start_ms
    }

    /// The weight of each step, and how long after the start it begins, in milliseconds.
    pub fn steps(&self) -> impl Iterator<Item = (Percent, u64)> {
        self.steps.iter().map(|step| (step.weight, step.after_ms))
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

    /// The weight at a time, where the ramp waits at a weight until it is promoted. It then goes on with
    /// the step before which it waited, as late as it was promoted.
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

// === impl InvalidStep ===

impl fmt::Display for InvalidStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("[], must be one step or more"),
            Self::Falls { before, weight } => {
                write!(
                    f,
                    "weight {weight} after {before}, must be {before} or more"
                )
            }
            Self::LastHold => f.write_str("hold in the last step, must be absent"),
            Self::NoHold => f.write_str("hold is missing, must be given before the last step"),
        }
    }
}

impl std::error::Error for InvalidStep {}
