//! A schedule of weights, and where the clock has it.

use crate::value::percent::Percent;
use std::fmt;

/// The weight of the color that is not stable, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ramp {
    start_ms: u64,
    steps: Vec<TimedStep>,
}

/// A weight, and what has to be there before the next one. The last step asks for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The weight of the color that is not stable.
    pub weight: Percent,
    /// How long it lasts at least, in milliseconds.
    pub hold_ms: Option<u64>,
    /// How many requests of that color have finished at least; by the guard where it is absent.
    pub min_requests: Option<u64>,
    /// Whether it is never left.
    pub pause: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TimedStep {
    step: Step,
    /// When it begins by the clock alone, behind the ramp's start.
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

/// Where a ramp is at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RampPlace {
    /// The index of the step in force.
    pub step: usize,
    /// The weight in force.
    pub weight: Percent,
    /// When the step began, or, where the ramp is held, when the next one was due; in milliseconds since 1970.
    pub since_ms: u64,
    /// The step that waits for the ramp to be promoted.
    pub held_before: Option<usize>,
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
    /// It is the last and asks for something: the name of the field.
    Last(&'static str),
    /// It is not the last and asks for nothing.
    NoHold,
    /// It is never left, and has a time to hold.
    PauseWithHold,
}

// === impl Ramp ===

impl Ramp {
    /// `start_ms` is in milliseconds since 1970. Each step but the last asks for something.
    ///
    /// # Errors
    /// Where there is no step, weights fall, or steps ask for what they should not: all that is wrong, each with
    /// the index of the step.
    pub fn new(start_ms: u64, steps: &[Step]) -> Result<Self, Vec<(Option<usize>, InvalidStep)>> {
        let Some(last) = steps.len().checked_sub(1) else {
            return Err(vec![(None, InvalidStep::Missing)]);
        };
        let mut problems = Vec::new();
        let mut after_ms = 0_u64;
        let mut timed: Vec<TimedStep> = Vec::with_capacity(steps.len());
        for (index, &step) in steps.iter().enumerate() {
            let before = timed.last().map_or(Percent::ZERO, |it| it.step.weight);
            let weight = step.weight;
            let falls = (weight < before).then_some(InvalidStep::Falls { before, weight });
            let wrong = step.wrong(index == last);
            let all = falls.into_iter().chain(wrong.into_iter().flatten());
            problems.extend(all.map(|problem| (Some(index), problem)));
            timed.push(TimedStep { step, after_ms });
            after_ms = after_ms.saturating_add(step.hold_ms.unwrap_or(0));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            start_ms,
            steps: timed,
        })
    }

    /// When it starts, in milliseconds since 1970.
    pub const fn start_ms(&self) -> u64 {
        self.start_ms
    }

    /// Each step, and how long after the start it begins by the clock alone, in milliseconds.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = (Step, u64)> {
        self.steps.iter().map(|it| (it.step, it.after_ms))
    }

    /// The step of this index.
    pub fn step(&self, index: usize) -> Option<Step> {
        self.steps.get(index).map(|it| it.step)
    }

    /// Whether this is the index of the last step.
    pub const fn is_last(&self, index: usize) -> bool {
        index.saturating_add(1) >= self.steps.len()
    }

    /// The weight of the first step.
    pub fn first_weight(&self) -> Percent {
        self.step(0).unwrap_or_default().weight
    }

    /// Whether a step asks for more than time. `implied` is how many requests one waits for that does not say so.
    pub fn asks_for_evidence(&self, implied: u64) -> bool {
        let (_, left) = self.steps.split_last().unzip();
        let asks = |it: &TimedStep| it.step.pause || it.step.min_requests.unwrap_or(implied) > 0;
        left.is_some_and(|left: &[TimedStep]| left.iter().any(asks))
    }

    /// The first step above a weight.
    pub fn first_above(&self, weight: Percent) -> Option<usize> {
        self.steps.iter().position(|it| it.step.weight > weight)
    }

    /// Where the clock alone has a ramp that starts at `start_ms`; nowhere before. Where it is held, it waits until
    /// it is promoted, and then goes on with the step before which it waited, as late as it was promoted.
    pub fn place_by_clock(
        &self,
        start_ms: u64,
        now_ms: u64,
        hold: Option<Hold>,
    ) -> Option<RampPlace> {
        let Some((hold, above)) = hold.and_then(|hold| Some((hold, self.first_above(hold.at)?)))
        else {
            return self.place_from(start_ms, now_ms);
        };
        let after_ms = self.steps.get(above).map_or(0, |it| it.after_ms);
        let due_ms = start_ms.saturating_add(after_ms);
        let promoted_at_ms = hold.promoted_at_ms.filter(|&at_ms| at_ms <= now_ms);
        let waited_ms = promoted_at_ms.map_or(0, |at_ms| at_ms.saturating_sub(due_ms));
        let place = self.place_from(start_ms, now_ms.saturating_sub(waited_ms))?;
        if place.step < above {
            return Some(place);
        }
        Some(match promoted_at_ms {
            Some(_) => RampPlace {
                since_ms: place.since_ms.saturating_add(waited_ms),
                ..place
            },
            None => RampPlace::held(above, hold, due_ms),
        })
    }

    fn place_from(&self, start_ms: u64, now_ms: u64) -> Option<RampPlace> {
        let elapsed_ms = now_ms.checked_sub(start_ms)?;
        let steps = self.steps.iter().enumerate();
        let begun = steps.take_while(|(_, it)| it.after_ms <= elapsed_ms);
        begun.last().map(|(step, it)| RampPlace {
            step,
            weight: it.step.weight,
            since_ms: start_ms.saturating_add(it.after_ms),
            held_before: None,
        })
    }
}

// === impl Step ===

impl Step {
    fn wrong(&self, is_last: bool) -> [Option<InvalidStep>; 3] {
        let asks = [
            ("hold", self.hold_ms.is_some()),
            ("min_requests", self.min_requests.is_some()),
            ("pause", self.pause),
        ];
        if is_last {
            return asks.map(|(field, is_given)| is_given.then_some(InvalidStep::Last(field)));
        }
        let [(_, has_hold), (_, has_minimum), (_, pauses)] = asks;
        let is_empty = !has_hold && !has_minimum && !pauses;
        [
            is_empty.then_some(InvalidStep::NoHold),
            (pauses && has_hold).then_some(InvalidStep::PauseWithHold),
            None,
        ]
    }
}

// === impl RampPlace ===

impl RampPlace {
    /// Where a ramp waits before a step until it is promoted.
    pub fn held(before: usize, hold: Hold, since_ms: u64) -> Self {
        Self {
            step: before.saturating_sub(1),
            weight: hold.at,
            since_ms,
            held_before: Some(before),
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
            Self::Last(field) => write!(f, "{field} in the last step, must be absent"),
            Self::NoHold => f.write_str(
                "hold is missing, must be given before the last step, or min_requests or pause",
            ),
            Self::PauseWithHold => f.write_str("pause with hold, must be one of the two"),
        }
    }
}

impl std::error::Error for InvalidStep {}
