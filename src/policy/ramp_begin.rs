//! Where a ramp begins when its configuration comes into force.

use crate::analysis::ramp::Ramp;
use crate::analysis::ramp_progress::{RampPosition, RampProgress};
use crate::policy::rollout::{Rollout, RolloutStatus};

/// Where a ramp begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RampBegin {
    /// How far it has come.
    pub progress: RampProgress,
    /// What there is to say of it.
    pub notice: Option<RampNotice>,
}

/// What there is to say of a ramp that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RampNotice {
    /// It begins at its first step, now.
    AtFirstStep,
    /// It begins at its last step: its start is too long past.
    AtLastStep,
}

// === impl RampBegin ===

impl RampBegin {
    /// Where a rollout's ramp begins now, in milliseconds since 1970; nothing where it goes on as it is known to.
    /// `rollback_ended_ms` is when a rollback of the rollout has ended last. `requests` gives how many canary requests
    /// have finished so far, where this proxy knows: in a fleet who judges finds out.
    pub fn of(
        rollout: &Rollout,
        status: RolloutStatus,
        rollback_ended_ms: Option<u64>,
        now_ms: u64,
        requests: impl FnOnce() -> Option<u64>,
    ) -> Option<Self> {
        let ramp = rollout.ramp.as_ref()?;
        let waits_for_evidence = rollout.waits_for_evidence(ramp);
        match status.ramp {
            Some(RampProgress::AtStep(_)) => None,
            Some(RampProgress::ByClock(_)) if !waits_for_evidence => None,
            Some(RampProgress::ByClock(start_ms)) => {
                let place = ramp.place_by_clock(start_ms, now_ms, rollout.hold(ramp, status));
                let position = place.map_or(RampPosition::first(start_ms), |place| {
                    RampPosition::from_place(place, requests())
                });
                Some(Self {
                    progress: RampProgress::AtStep(position),
                    notice: None,
                })
            }
            None if waits_for_evidence => Some(Self::at_first_step(ramp, now_ms, |first| {
                let requests_before = (first.since_ms <= now_ms).then(requests).flatten();
                RampProgress::AtStep(RampPosition {
                    requests_before,
                    ..first
                })
            })),
            // A start from before the rollback says nothing about the release that was repaired.
            None if rollback_ended_ms.is_some_and(|ended_ms| ramp.start_ms() <= ended_ms) => {
                Some(Self::at_first_step(ramp, now_ms, |first| {
                    RampProgress::ByClock(first.since_ms)
                }))
            }
            None => {
                let progress = RampProgress::ByClock(ramp.start_ms());
                let place = progress.place(ramp, now_ms, rollout.hold(ramp, status));
                let is_last = place
                    .is_some_and(|place| place.held_before.is_none() && ramp.is_last(place.step));
                Some(Self {
                    progress,
                    notice: is_last.then_some(RampNotice::AtLastStep),
                })
            }
        }
    }

    /// At the first step now, or at the start where that is later.
    fn at_first_step(
        ramp: &Ramp,
        now_ms: u64,
        progress: impl FnOnce(RampPosition) -> RampProgress,
    ) -> Self {
        let start_ms = ramp.start_ms();
        Self {
            progress: progress(RampPosition::first(start_ms.max(now_ms))),
            notice: (start_ms <= now_ms).then_some(RampNotice::AtFirstStep),
        }
    }
}
