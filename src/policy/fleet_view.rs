//! What a VM that leads knows of the other proxies of its fleet.

use crate::analysis::guard::Cause;
use crate::analysis::ramp_progress::RampPosition;
use crate::analysis::sequential_guard::Evidence;
use crate::policy::action::GuardState;
use crate::policy::fleet_counts::FleetCounts;
use crate::policy::policy::Policy;
use crate::policy::recent::RecentDelta;
use crate::policy::rollout::Rollout;
use crate::policy::rollout_counts::Epoch;
use crate::policy::rollout_identity::RolloutIdentity;
use crate::policy::totals::Totals;
use crate::value::name::RolloutName;
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// What a VM that leads knows of the other proxies of its fleet, and has to publish to them.
#[derive(Debug, Default)]
pub struct FleetView {
    /// Who judges.
    pub role: FleetRole,
    /// What all others have counted, by the names of rollouts.
    pub others: HashMap<String, Vec<FleetCounts>, Xxh64Builder>,
    /// How much of it was not counted just now, by the names of rollouts.
    pub late: Vec<(String, FleetCounts)>,
    /// What went on at others since this was taken last. Its generations are those of [`RolloutIdentity`].
    pub recent: Vec<(String, RecentDelta)>,
    /// What the fleet has decided.
    pub facts: Vec<FleetFact>,
    /// What the judging proxy shows, by the names of rollouts.
    pub shown: HashMap<String, FleetShown, Xxh64Builder>,
    /// What went on at this proxy since this was taken last.
    pub own_recent: Vec<(String, RecentDelta)>,
    changes: u64,
    /// Whether windows and evidence begin anew: they are about other requests than before.
    pub begins_anew: bool,
    has_judged_fleet: bool,
}

/// Who judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FleetRole {
    /// Nobody yet: the fleet has not answered, and may still.
    #[default]
    Unknown,
    /// This proxy, for itself: it does not reach its fleet.
    Alone,
    /// This proxy, for all.
    Elected,
    /// Another proxy.
    Member,
}

/// Something that the fleet has decided on a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetFact {
    /// The rollout.
    pub rollout: String,
    /// The digest of what it holds for.
    pub digest: u64,
    /// What was decided.
    pub verdict: FleetVerdict,
}

/// What the fleet has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FleetVerdict {
    /// To roll back, for a cause, and the figures.
    RolledBack(Cause, String),
    /// To promote the ramp, in milliseconds since 1970.
    Promoted(u64),
    /// The ramp is here. Its time is by this proxy's clock.
    Ramp(RampPosition),
}

/// What the judging proxy shows of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetShown {
    /// The digest of the rollout.
    pub digest: u64,
    /// The state of guard and quality gate.
    pub state: GuardState,
    /// The evidence of the sequential guard.
    pub evidence: Evidence,
}

// === impl FleetView ===

impl FleetView {
    /// Something in here has changed.
    pub fn note_change(&mut self) {
        self.changes = self.changes.wrapping_add(1);
    }

    /// How often something in here has changed.
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// Takes a role. Where other requests are judged than before, windows and evidence begin anew.
    pub fn take_role(&mut self, role: FleetRole) {
        let before = std::mem::replace(&mut self.role, role);
        if before == role {
            return;
        }
        let goes_on = match (before, role) {
            // What others counted stays as it was known last.
            (FleetRole::Elected, FleetRole::Alone) => true,
            // Nothing is known of others.
            (FleetRole::Unknown, FleetRole::Alone) => true,
            (FleetRole::Alone, FleetRole::Elected) => self.has_judged_fleet,
            _ => false,
        };
        if role != FleetRole::Alone {
            self.has_judged_fleet = role == FleetRole::Elected;
        }
        self.begins_anew |= !goes_on;
        self.note_change();
    }

    /// Whether this proxy judges a rollout of this digest itself. It does so too where the elected one has another
    /// configuration of it, or none.
    pub fn judges(&self, rollout: &RolloutName, digest: u64) -> bool {
        match self.role {
            FleetRole::Unknown => false,
            FleetRole::Alone | FleetRole::Elected => true,
            FleetRole::Member => {
                let shown = self.shown.get(rollout.as_str());
                shown.is_none_or(|shown| shown.digest != digest)
            }
        }
    }

    /// Adds what others counted of a rollout.
    pub fn add_to(&self, rollout: &Rollout, identity: &RolloutIdentity, totals: &mut Totals) {
        let others = self.others.get(rollout.name.as_str());
        for other in others.into_iter().flatten() {
            other.add_to(rollout, identity, totals);
        }
    }

    /// What others counted of rollouts as they are configured here, and not just now.
    pub fn take_late<'a>(
        &mut self,
        policy: &'a Policy,
        identities: &[RolloutIdentity],
    ) -> Vec<(&'a Rollout, Totals)> {
        let late = std::mem::take(&mut self.late).into_iter();
        let late = late.filter_map(|(name, counts)| {
            let index = policy.named(&name)?;
            let (rollout, identity) = policy.rollouts.get(index).zip(identities.get(index))?;
            let mut totals = Totals::default();
            counts.add_to(rollout, identity, &mut totals);
            Some((rollout, totals))
        });
        late.collect()
    }

    /// What went on at others that is about rollouts as they are configured here, with the generations of `epochs`.
    pub fn take_recent(
        &mut self,
        policy: &Policy,
        identities: &[RolloutIdentity],
        epochs: &[Epoch],
    ) -> Vec<(String, RecentDelta)> {
        let mut recent = std::mem::take(&mut self.recent);
        recent.retain_mut(|(name, delta)| {
            let index = policy.named(name);
            let known = index.and_then(|it| identities.get(it).zip(epochs.get(it)));
            let known = known.filter(|(identity, _)| identity.generation == delta.generation);
            if let Some((_, epoch)) = known {
                delta.generation = epoch.generation;
            }
            known.is_some()
        });
        recent
    }
}
