//! What a proxy takes over of what its fleet has decided.

use crate::analysis::ramp_progress::{RampPosition, RampProgress};
use crate::policy::action::{Action, Todo};
use crate::policy::fleet_view::{FleetFact, FleetRole, FleetVerdict, FleetView};
use crate::policy::policy::Policy;
use crate::policy::rollout::{Rollout, RolloutStatus};
use crate::policy::rollout_identity::RolloutIdentity;

/// What there is to do about the rollouts by what the fleet has decided, where this proxy does not know it.
pub(super) fn adopt(
    policy: &Policy,
    identities: &[RolloutIdentity],
    statuses: &[RolloutStatus],
    fleet: &mut FleetView,
) -> Vec<Action> {
    let mut actions = Vec::new();
    let follows = fleet.role == FleetRole::Member;
    for fact in &mut fleet.facts {
        let is_fresh = std::mem::take(&mut fact.is_fresh) || follows;
        let known = policy.named(&fact.rollout).and_then(|index| {
            let rollout = policy.rollouts.get(index)?;
            Some((index, rollout, identities.get(index)?, statuses.get(index)?))
        });
        if let Some((index, rollout, identity, status)) = known
            && let Some(what) = todo(fact, rollout, identity, status, is_fresh)
        {
            actions.push(Action {
                rollout: index,
                what,
            });
        }
    }
    actions
}

fn todo(
    fact: &FleetFact,
    rollout: &Rollout,
    identity: &RolloutIdentity,
    status: &RolloutStatus,
    is_fresh: bool,
) -> Option<Todo> {
    match &fact.verdict {
        FleetVerdict::RolledBack(cause, reason) => {
            let is_new = fact.digest == identity.digest && status.tripped.is_none();
            is_new.then(|| Todo::RollBack {
                cause: *cause,
                reason: format!("verdict of the fleet: {reason}"),
            })
        }
        FleetVerdict::Promoted(at_ms) => {
            let is_new = fact.digest == identity.gate && status.promoted_at_ms.is_none();
            is_new.then_some(Todo::Promote(*at_ms))
        }
        FleetVerdict::Ramp(RampProgress::AtStep(to)) => {
            let from = match status.ramp {
                Some(RampProgress::AtStep(from)) => Some(from),
                _ => None,
            };
            let steps = rollout.ramp.as_ref().map_or(0, |ramp| ramp.steps().len());
            let is_new = fact.digest == identity.ramp
                && to.step < steps
                && from.is_none_or(|from| !is_at(from, *to));
            (is_new && is_fresh).then(|| Todo::Advance {
                from,
                to: *to,
                reason: Some(format!("ramp step {} of {steps}, as the fleet", to.step)),
            })
        }
        FleetVerdict::Ramp(RampProgress::ByClock(_)) => None,
    }
}

/// Whether a proxy is where its fleet is. What is known of the time is not exact, and one that has begun later knows
/// less.
fn is_at(proxy: RampPosition, fleet: RampPosition) -> bool {
    const TOLERANCE_MS: u64 = 3_000;
    let is_later = proxy.since_ms > fleet.since_ms.saturating_add(TOLERANCE_MS);
    (proxy.step, proxy.requests_before) == (fleet.step, fleet.requests_before) && !is_later
}
