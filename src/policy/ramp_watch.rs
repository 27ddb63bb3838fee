//! What to do about a rollout's ramp.

use crate::analysis::ramp::{Ramp, Step};
use crate::analysis::ramp_progress::{RampPosition, RampProgress};
use crate::policy::action::{Action, ShownRamp};
use crate::policy::figures::Figures;
use crate::policy::rollout::{Rollout, RolloutStatus};

/// Watches the ramp of one rollout.
#[derive(Debug, Default)]
pub struct RampWatch {
    shown: Option<ShownRamp>,
    shows_again: bool,
}

/// What has come that steps may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RampEvidence {
    /// How many canary requests have finished so far.
    pub requests: u64,
    /// Whether there is all that the first step asks of copies.
    pub has_copies: bool,
}

// === impl RampEvidence ===

impl RampEvidence {
    /// That of a rollout.
    pub fn of(rollout: &Rollout, figures: &Figures) -> Self {
        let shadow = rollout.shadow.as_ref();
        Self {
            requests: figures.totals.requests.of(rollout.stable.other()).requests,
            has_copies: shadow.is_none_or(|it| it.is_enough(&figures.totals.shadow)),
        }
    }
}

// === impl RampWatch ===

impl RampWatch {
    /// Another VM, whose configuration is over, may have shown something else since.
    pub fn show_again(&mut self) {
        self.shows_again = true;
    }

    /// What there is to do. `judges` says whether this proxy decides when a step is left.
    pub fn tick(
        &mut self,
        rollout: &Rollout,
        status: RolloutStatus,
        evidence: RampEvidence,
        now_ms: u64,
        judges: bool,
        actions: &mut Vec<Action>,
    ) {
        let Some(ramp) = &rollout.ramp else {
            return;
        };
        let shown = match (status.tripped, self.shown) {
            (None, _) if !judges => watch(rollout, ramp, status, evidence, now_ms),
            (None, _) => look(rollout, ramp, status, evidence, now_ms, actions),
            // The step at which it was rolled back.
            (Some(_), Some(last)) => ShownRamp {
                waits: false,
                ..last
            },
            (Some(_), None) => ShownRamp {
                step: rollout.ramp_place(now_ms, status).map(|place| place.step),
                waits: false,
            },
        };
        let shows_again = std::mem::take(&mut self.shows_again);
        if self.shown.replace(shown) != Some(shown) || shows_again {
            actions.push(Action::ShowRamp(shown));
        }
    }
}

/// Where a ramp is whose steps another proxy takes.
fn watch(
    rollout: &Rollout,
    ramp: &Ramp,
    status: RolloutStatus,
    evidence: RampEvidence,
    now_ms: u64,
) -> ShownRamp {
    let mut unused = Vec::new();
    let ShownRamp { waits, .. } = look(rollout, ramp, status, evidence, now_ms, &mut unused);
    let place = rollout.ramp_place(now_ms, status);
    ShownRamp {
        step: place.map(|place| place.step),
        waits: waits || !unused.is_empty(),
    }
}

fn look(
    rollout: &Rollout,
    ramp: &Ramp,
    mut status: RolloutStatus,
    evidence: RampEvidence,
    now_ms: u64,
    actions: &mut Vec<Action>,
) -> ShownRamp {
    let RampEvidence {
        requests,
        has_copies,
    } = evidence;
    let mut waits = false;
    let progress = rollout.ramp_progress(ramp, status);
    if progress.is_before_first_step() && !has_copies {
        waits = ramp.start_ms() <= now_ms;
    } else if let RampProgress::AtStep(position) = progress {
        let hold = rollout.hold(ramp, status);
        let implied = rollout.implied_min_requests();
        let analysis = position.judge(ramp, hold, implied, requests, now_ms);
        waits = analysis.waits;
        if let Some(to) = analysis.next {
            let known = matches!(status.ramp, Some(RampProgress::AtStep(_)));
            actions.push(Action::Advance {
                from: known.then_some(position),
                to,
                reason: reason(ramp, position, to, requests, now_ms),
            });
            status.ramp = Some(RampProgress::AtStep(to));
            waits = to.judge(ramp, hold, implied, requests, now_ms).waits;
        }
    }
    let place = rollout.ramp_place(now_ms, status);
    let is_held = place.is_some_and(|place| place.held_before.is_some());
    ShownRamp {
        step: place.map(|place| place.step),
        waits: waits || is_held,
    }
}

/// What to say of a step that is left or begins.
fn reason(
    ramp: &Ramp,
    from: RampPosition,
    to: RampPosition,
    requests: u64,
    now_ms: u64,
) -> Option<String> {
    let (step, count) = (to.step, ramp.steps().len());
    let Step { weight, .. } = ramp.step(step)?;
    let finished = requests.saturating_sub(from.requests_before.unwrap_or(requests));
    let lasted_s = now_ms.saturating_sub(from.since_ms) / 1_000;
    match (from.requests_before, to.requests_before) {
        (_, None) => Some(format!(
            "ramp waits for the quality gate before step {step} of {count}: {finished} canary requests in {lasted_s} s"
        )),
        (None, Some(_)) => Some(format!(
            "ramp step {step} of {count}, weight {weight} %, begins"
        )),
        (Some(_), Some(_)) if step != from.step => Some(format!(
            "ramp step {step} of {count}, weight {weight} %: {finished} canary requests in {lasted_s} s"
        )),
        // Clock or counts have fallen.
        (Some(_), Some(_)) => None,
    }
}
