//! What a proxy takes over of what its fleet has decided.

use crate::analysis::ramp_progress::RampProgress;
use crate::policy::action::{Action, RolloutAction};
use crate::policy::fleet_view::{FleetFact, FleetVerdict, FleetView};
use crate::policy::policy::Policy;
use crate::policy::rollout::{Rollout, RolloutStatus};
use crate::policy::rollout_identity::RolloutIdentity;

/// What there is to do about the rollouts by what the fleet has decided, where this proxy does not know it.
pub(super) fn adopt(
    policy: &Policy,
    identities: &[RolloutIdentity],
    statuses: &[RolloutStatus],
    fleet: &FleetView,
) -> Vec<RolloutAction> {
    let mut actions = Vec::new();
    for fact in &fleet.facts {
        let known = policy.named(&fact.rollout).and_then(|index| {
            let rollout = policy.rollouts.get(index)?;
            Some((index, rollout, identities.get(index)?, statuses.get(index)?))
        });
        if let Some((index, rollout, identity, status)) = known {
            let judges = fleet.judges(&rollout.name, identity.digest);
            let action = action_for(fact, rollout, identity, status, judges);
            actions.extend(action.map(|action| RolloutAction {
                rollout: index,
                action,
            }));
        }
    }
    actions
}

fn action_for(
    fact: &FleetFact,
    rollout: &Rollout,
    identity: &RolloutIdentity,
    status: &RolloutStatus,
    judges: bool,
) -> Option<Action> {
    match &fact.verdict {
        FleetVerdict::RolledBack(cause, reason) => {
            let is_new = fact.digest == identity.digest && status.tripped.is_none();
            is_new.then(|| Action::RollBack {
                cause: *cause,
                reason: format!("verdict of the fleet: {reason}"),
            })
        }
        FleetVerdict::Promoted(at_ms) => {
            let is_new = fact.digest == identity.gate && status.promoted_at_ms.is_none();
            is_new.then_some(Action::Promote(*at_ms))
        }
        FleetVerdict::Ramp(to) => {
            let from = match status.ramp {
                Some(RampProgress::AtStep(from)) => Some(from),
                _ => None,
            };
            let steps = rollout.ramp.as_ref().map_or(0, |ramp| ramp.steps().len());
            let is_for_it = fact.digest == identity.ramp && status.tripped.is_none();
            let is_new = from.is_none_or(|from| from.takes_over(*to, judges));
            (is_for_it && is_new && to.step < steps).then(|| Action::Advance {
                from,
                to: *to,
                reason: from
                    .is_none_or(|from| from.step != to.step)
                    .then(|| format!("ramp step {} of {steps}, as the fleet", to.step)),
            })
        }
    }
}
