//! What one VM knows of the rollouts of its configuration.

use crate::analysis::ramp_progress::RampProgress;
use crate::policy::action::RolloutAction;
use crate::policy::figures::Figures;
use crate::policy::fleet_counts::FleetCounts;
use crate::policy::fleet_view::FleetView;
use crate::policy::policy::Policy;
use crate::policy::proxy_counts::ProxyCounts;
use crate::policy::rollout::{Rollout, RolloutStatus};
use crate::policy::rollout_counts::Epoch;
use crate::policy::rollout_identity::RolloutIdentity;
use crate::policy::shared_state::{Fact, SharedState};

/// What one VM knows of each rollout, in the order of the configuration.
#[derive(Debug)]
pub struct Knowledge {
    /// What facts are tied to.
    pub identities: Vec<RolloutIdentity>,
    /// What has become of each.
    pub statuses: Vec<RolloutStatus>,
    /// What is counted now belongs to.
    pub epochs: Vec<Epoch>,
    /// What the leader judges by.
    pub figures: Vec<Figures>,
}

// === impl Knowledge ===

impl Knowledge {
    /// Nothing but the configuration.
    pub fn of(policy: &Policy) -> Self {
        let identities = policy.rollouts.iter().map(RolloutIdentity::of);
        let mut known = Self {
            identities: identities.collect(),
            statuses: Vec::new(),
            epochs: Vec::new(),
            figures: Vec::new(),
        };
        known.forget();
        known
    }

    /// All but the configuration is forgotten.
    pub fn forget(&mut self) {
        let rollouts = self.identities.len();
        self.statuses = vec![RolloutStatus::default(); rollouts];
        self.figures = vec![Figures::default(); rollouts];
        self.epochs = vec![Epoch::default(); rollouts];
    }

    /// What has become of a rollout.
    pub fn status(&self, index: usize) -> RolloutStatus {
        self.statuses.get(index).copied().unwrap_or_default()
    }

    /// What is counted now belongs to.
    pub fn epoch(&self, index: usize) -> Epoch {
        self.epochs.get(index).copied().unwrap_or_default()
    }

    /// Learns what all VMs know.
    pub fn learn(&mut self, policy: &Policy, state: &SharedState) {
        let known = self.statuses.iter_mut().zip(&mut self.epochs);
        for ((rollout, identity), (status, epoch)) in
            policy.rollouts.iter().zip(&self.identities).zip(known)
        {
            let learned = state.status(&rollout.name, identity);
            // A rollback ends with the configuration alone.
            status.tripped = status.tripped.or(learned.tripped);
            status.promoted_at_ms = status.promoted_at_ms.or(learned.promoted_at_ms);
            status.slow_after_ns = learned.slow_after_ns.or(status.slow_after_ns);
            status.ramp = learned.ramp.or(status.ramp);
            *epoch = state.epoch(&rollout.name, identity);
        }
    }

    /// Takes note of what has become of a rollout. Says whether the other VMs have to know.
    pub fn note(&mut self, action: &RolloutAction) -> bool {
        let known = self.statuses.get_mut(action.rollout);
        let Some((status, fact)) = known.zip(action.action.fact()) else {
            return false;
        };
        match fact {
            Fact::RolledBack(cause) => status.tripped = Some(cause),
            Fact::Promoted(at_ms) => status.promoted_at_ms = Some(at_ms),
            Fact::SlowAfter(ns) => status.slow_after_ns = Some(ns),
            Fact::Advanced(_, to) => status.ramp = Some(RampProgress::AtStep(to)),
        }
        if let Some(figures) = self.figures.get_mut(action.rollout) {
            figures.status = *status;
        }
        true
    }

    /// Adds up what all VMs counted, and the other proxies of the fleet.
    pub fn add_up(&mut self, policy: &Policy, counts: &ProxyCounts, fleet: &FleetView) {
        let known = self.identities.iter().zip(&self.statuses).zip(&self.epochs);
        for ((rollout, figures), ((identity, status), epoch)) in
            policy.rollouts.iter().zip(&mut self.figures).zip(known)
        {
            let mut totals = counts.of_rollout(&rollout.name, *epoch).totals;
            fleet.add_to(rollout, identity, &mut totals);
            *figures = Figures {
                status: *status,
                totals,
            };
        }
    }

    /// What the VMs of this proxy have counted.
    pub fn own_counts(&self, policy: &Policy, counts: &ProxyCounts) -> Vec<FleetCounts> {
        let known = self.identities.iter().zip(&self.epochs);
        let own = |(rollout, (identity, epoch)): (&Rollout, (&RolloutIdentity, &Epoch))| {
            let counts = counts.of_rollout(&rollout.name, *epoch);
            FleetCounts::of(rollout, identity, counts.totals)
        };
        policy.rollouts.iter().zip(known).map(own).collect()
    }
}
