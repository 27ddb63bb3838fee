//! When the next step of a ramp begins, as far as can be told.

use crate::live::view::{NextStep, number};
use bluegreen::{Ramp, Rollout, RolloutStatus, Step};

/// A step in force, and since when it has been seen to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepSeen {
    /// Its index; none before the ramp's start.
    pub step: Option<usize>,
    /// When it was first seen, in milliseconds since 1970.
    pub since_ms: u64,
    /// Whether it was seen to begin.
    pub is_begin: bool,
    /// How many canary requests had finished then.
    pub finished: f64,
    /// Whether it waits for more than time.
    pub is_waiting: bool,
}

/// The step behind the one in force. `finished` are the canary's requests that have finished.
pub fn next(rollout: &Rollout, seen: &StepSeen, now_ms: u64, finished: f64) -> Option<NextStep> {
    let ramp = rollout.ramp.as_ref()?;
    let Some(index) = seen.step else {
        let in_ms = ramp.start_ms().saturating_sub(now_ms);
        return Some(NextStep {
            weight_percent: number(ramp.first_weight()),
            earliest_in_ms: in_ms,
            latest_in_ms: Some(in_ms),
            min_requests: None,
            requests_seen: 0,
        });
    };
    let step = ramp.step(index)?;
    let (next, after_ms) = ramp.steps().nth(index.saturating_add(1))?;
    let by_clock = ramp
        .start_ms()
        .saturating_add(after_ms)
        .saturating_sub(now_ms);
    let by_sight = seen
        .since_ms
        .saturating_add(step.hold_ms.unwrap_or(0))
        .saturating_sub(now_ms);
    let (earliest_in_ms, latest_in_ms) = if step.pause {
        (0, None)
    } else if seen.is_waiting {
        (0, Some(0))
    } else if !rollout.waits_for_evidence(ramp) {
        (by_clock, Some(by_clock))
    } else if seen.is_begin {
        (by_sight, Some(by_sight))
    } else {
        // It can't have begun before the clock would have it, nor later than it was first seen.
        (by_clock.min(by_sight), Some(by_sight))
    };
    let min_requests = min_requests(rollout, step);
    Some(NextStep {
        weight_percent: number(next.weight),
        earliest_in_ms,
        latest_in_ms,
        min_requests: (min_requests > 0).then_some(min_requests),
        requests_seen: (finished - seen.finished).max(0.0) as u64,
    })
}

/// For what a step may wait but time.
pub fn waits_for(rollout: &Rollout, index: usize) -> Vec<&'static str> {
    let Some(ramp) = rollout.ramp.as_ref() else {
        return Vec::new();
    };
    let Some(step) = ramp.step(index) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if step.pause {
        all.push("pause");
    }
    if min_requests(rollout, step) > 0 {
        all.push("requests");
    }
    if is_held(rollout, ramp, index) {
        all.push("quality");
    }
    all
}

fn min_requests(rollout: &Rollout, step: Step) -> u64 {
    step.min_requests.unwrap_or(rollout.implied_min_requests())
}

/// Whether the quality gate stands before the next step.
fn is_held(rollout: &Rollout, ramp: &Ramp, index: usize) -> bool {
    let hold = rollout.hold(ramp, RolloutStatus::default());
    let next = ramp.step(index.saturating_add(1));
    hold.zip(next)
        .is_some_and(|(hold, next)| next.weight > hold.at)
}
