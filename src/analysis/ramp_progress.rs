//! How far a ramp has come: what is known of it beside its schedule.

use crate::analysis::ramp::{Hold, Ramp, RampPlace};
use serde::{Deserialize, Serialize};

/// How far a ramp has come, where the clock alone does not determine it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RawProgress", into = "RawProgress")]
pub enum RampProgress {
    /// It goes by the clock alone, from this time on in milliseconds since 1970.
    ByClock(u64),
    /// Its steps ask for evidence.
    AtStep(RampPosition),
}

/// The step at which a ramp is whose steps ask for evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RampPosition {
    /// The index of the step.
    pub step: usize,
    /// When it began or is to begin, in milliseconds since 1970.
    pub since_ms: u64,
    /// How many canary requests had finished when it began; nothing where it has not begun.
    pub requests_before: Option<u64>,
}

/// Progress as it is written, by position: since when, the index of the step, and the requests before it.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct RawProgress(u64, Option<u32>, Option<u64>);

/// What the analysis of a step has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepAnalysis {
    /// Where the ramp is from now on, where that is new.
    pub next: Option<RampPosition>,
    /// Whether time is no longer what the ramp waits for.
    pub waits: bool,
}

// === impl RampProgress ===

impl RampProgress {
    /// Where the ramp is; nowhere before its start.
    pub fn place(self, ramp: &Ramp, now_ms: u64, hold: Option<Hold>) -> Option<RampPlace> {
        match self {
            Self::ByClock(start_ms) => ramp.place_by_clock(start_ms, now_ms, hold),
            Self::AtStep(position) => position.place(ramp, now_ms, hold),
        }
    }

    /// Whether time alone changes the weight.
    pub const fn goes_by_clock(self) -> bool {
        match self {
            Self::ByClock(_) => true,
            Self::AtStep(_) => self.is_before_first_step(),
        }
    }

    /// Whether it asks for evidence and its first step has not begun.
    pub const fn is_before_first_step(self) -> bool {
        match self {
            Self::ByClock(_) => false,
            Self::AtStep(position) => position.step == 0 && position.requests_before.is_none(),
        }
    }
}

// === impl RampPosition ===

impl RampPosition {
    /// The first step, from a time on.
    pub const fn first(since_ms: u64) -> Self {
        Self {
            step: 0,
            since_ms,
            requests_before: None,
        }
    }

    /// Goes on from where the clock has had a ramp whose steps did not ask for evidence.
    pub fn from_place(place: RampPlace, requests: Option<u64>) -> Self {
        Self {
            step: place.held_before.unwrap_or(place.step),
            since_ms: place.since_ms,
            requests_before: requests.filter(|_| place.held_before.is_none()),
        }
    }

    /// Whether its first step has begun.
    pub const fn has_begun(self) -> bool {
        self.step > 0 || self.requests_before.is_some()
    }

    /// Whether another proxy has come further.
    pub fn is_behind(self, other: Self) -> bool {
        (self.step, self.requests_before.is_some()) < (other.step, other.requests_before.is_some())
    }

    /// Whether this proxy goes on from where its fleet is: where that is further, and at the same step where another
    /// proxy judges. What is known of the time is not exact, and one that has begun later knows less.
    pub fn takes_over(self, fleet: Self, judges: bool) -> bool {
        const TOLERANCE_MS: u64 = 3_000;
        let is_later = self.since_ms > fleet.since_ms.saturating_add(TOLERANCE_MS);
        let differs = self.requests_before != fleet.requests_before || is_later;
        self.is_behind(fleet) || (!judges && differs && !fleet.is_behind(self))
    }

    fn is_before_start(self, now_ms: u64) -> bool {
        self.step == 0 && self.requests_before.is_none() && now_ms < self.since_ms
    }

    /// The first step above the weight at which the ramp waits, unless it was promoted.
    fn held_before(ramp: &Ramp, hold: Option<Hold>) -> Option<(usize, Hold)> {
        let hold = hold.filter(|hold| hold.promoted_at_ms.is_none())?;
        Some((ramp.first_above(hold.at)?, hold))
    }

    fn place(self, ramp: &Ramp, now_ms: u64, hold: Option<Hold>) -> Option<RampPlace> {
        if self.is_before_start(now_ms) {
            return None;
        }
        match Self::held_before(ramp, hold) {
            Some((above, hold)) if self.step >= above => {
                Some(RampPlace::held(above, hold, self.since_ms))
            }
            _ => Some(RampPlace {
                step: self.step,
                weight: ramp.step(self.step)?.weight,
                since_ms: self.since_ms,
                held_before: None,
            }),
        }
    }

    /// Whether all is there that the step waits for. `requests` is how many canary requests have finished so
    /// far, `implied` how many a step waits for that does not say so. A clock or a count that has fallen is where it
    /// is counted from anew.
    pub fn judge(
        self,
        ramp: &Ramp,
        hold: Option<Hold>,
        implied: u64,
        requests: u64,
        now_ms: u64,
    ) -> StepAnalysis {
        if self.is_before_start(now_ms) {
            return StepAnalysis::stays(false);
        }
        let above = Self::held_before(ramp, hold).map(|(above, _)| above);
        if let Some(above) = above.filter(|&above| self.step >= above) {
            let waits = Self::before(above, now_ms);
            let is_new = self.step != above || self.requests_before.is_some();
            return StepAnalysis {
                next: is_new.then_some(waits),
                waits: true,
            };
        }
        let Some(before) = self.requests_before else {
            return StepAnalysis::goes_to(Self::begun(self.step, now_ms, requests));
        };
        if now_ms < self.since_ms || requests < before {
            return StepAnalysis::goes_to(Self {
                since_ms: self.since_ms.min(now_ms),
                requests_before: Some(before.min(requests)),
                ..self
            });
        }
        let step = ramp.step(self.step).unwrap_or_default();
        let is_held = now_ms.saturating_sub(self.since_ms) < step.hold_ms.unwrap_or(0);
        if is_held || ramp.is_last(self.step) {
            return StepAnalysis::stays(false);
        }
        let finished = requests.saturating_sub(before);
        if step.pause || finished < step.min_requests.unwrap_or(implied) {
            return StepAnalysis::stays(true);
        }
        let next = self.step.saturating_add(1);
        StepAnalysis::goes_to(match above {
            Some(above) if next >= above => Self::before(above, now_ms),
            _ => Self::begun(next, now_ms, requests),
        })
    }

    const fn begun(step: usize, since_ms: u64, requests: u64) -> Self {
        Self {
            step,
            since_ms,
            requests_before: Some(requests),
        }
    }

    /// Where it waits before a step.
    const fn before(step: usize, since_ms: u64) -> Self {
        Self {
            step,
            since_ms,
            requests_before: None,
        }
    }
}

// === impl StepAnalysis ===

impl StepAnalysis {
    const fn stays(waits: bool) -> Self {
        Self { next: None, waits }
    }

    const fn goes_to(next: RampPosition) -> Self {
        Self {
            next: Some(next),
            waits: false,
        }
    }
}

// === impl RawProgress ===

impl From<RampProgress> for RawProgress {
    fn from(progress: RampProgress) -> Self {
        match progress {
            RampProgress::ByClock(start_ms) => Self(start_ms, None, None),
            RampProgress::AtStep(RampPosition {
                step,
                since_ms,
                requests_before,
            }) => Self(since_ms, u32::try_from(step).ok(), requests_before),
        }
    }
}

impl From<RawProgress> for RampProgress {
    fn from(RawProgress(since_ms, step, requests_before): RawProgress) -> Self {
        match step.map(usize::try_from) {
            Some(Ok(step)) => Self::AtStep(RampPosition {
                step,
                since_ms,
                requests_before,
            }),
            _ => Self::ByClock(since_ms),
        }
    }
}
