//! What the VM that leads does for all VMs of its proxy.

use crate::policy::action::RolloutAction;
use crate::policy::controller::{Controller, Known};
use crate::policy::figures::Now;
use crate::policy::fleet_facts::adopt;
use crate::policy::fleet_view::{FleetRole, FleetShown, FleetView};
use crate::policy::knowledge::Knowledge;
use crate::policy::peers::Peers;
use crate::policy::policy::Policy;
use crate::policy::shared_store::{HostStatus, SharedStore};

/// Looks after the rollouts while this VM leads.
#[derive(Debug)]
pub struct Leader {
    controller: Controller,
    leads: bool,
    /// Which counts and which view of the fleet it has added up. A VM has a leader for each listener where Envoy makes
    /// a root context for each, and what is new is new to all of them.
    added_up: (u64, u64),
}

/// So many changes are kept for the exchange, which takes them at each tick unless Envoy refuses calls.
const MAX_OWN_RECENT: usize = 4_096;

// === impl Leader ===

impl Leader {
    /// One that does not lead yet.
    pub fn new(policy: &Policy) -> Self {
        Self {
            controller: Controller::new(policy),
            leads: false,
            added_up: (0, 0),
        }
    }

    /// Whether this VM leads.
    pub const fn leads(&self) -> bool {
        self.leads
    }

    /// What the stats show of guard and quality gate of the rollout of this index.
    pub fn shown(&self, index: usize, digest: u64) -> Option<FleetShown> {
        self.controller.shown(index, digest)
    }

    /// Shows all anew on the next tick.
    pub fn show_again(&mut self) {
        self.controller.show_again();
    }

    /// Another VM leads.
    pub fn step_down<S>(&mut self, peers: &mut Peers<S>) {
        self.leads = false;
        peers.counts.take_recent();
        peers.fleet = FleetView::default();
    }

    /// Adds up what was counted, and says what there is to do. `has_learned` says whether statuses or epochs may have
    /// changed.
    ///
    /// # Errors
    /// Where the host refuses a call.
    pub fn tick<S: SharedStore>(
        &mut self,
        policy: &Policy,
        known: &mut Knowledge,
        has_learned: bool,
        peers: &mut Peers<S>,
        now: Now,
    ) -> Result<Vec<RolloutAction>, HostStatus> {
        peers.counts.refresh(&peers.store, &peers.keys)?;
        let has_led = std::mem::replace(&mut self.leads, true);
        if !has_led {
            peers.windows.drop_stale(policy, now);
        }
        let changes = (peers.counts.changes(), peers.fleet.changes());
        let is_new = std::mem::replace(&mut self.added_up, changes) != changes;
        let has_changed = is_new || has_learned || !has_led;
        if has_changed {
            known.add_up(policy, &peers.counts, &peers.fleet);
        }
        let recent = peers.counts.take_recent();
        peers
            .sequential
            .learn(policy, &known.statuses, &recent, now);
        if policy.fleet.is_some() {
            learn_from_fleet(policy, known, peers, now);
            if peers.fleet.own_recent.len() < MAX_OWN_RECENT {
                peers.fleet.own_recent.extend(recent);
            }
        }
        let mut actions = adopt(policy, &known.identities, &known.statuses, &peers.fleet);
        let known = Known {
            figures: &known.figures,
            has_changed,
            now,
            sequential: &peers.sequential,
            fleet: &peers.fleet,
        };
        actions.extend(self.controller.tick(policy, &known, &mut peers.windows));
        Ok(actions)
    }
}

/// Learns what went on at other proxies, and how much of it is not of now.
fn learn_from_fleet<S>(policy: &Policy, known: &Knowledge, peers: &mut Peers<S>, now: Now) {
    let Peers {
        fleet,
        windows,
        sequential,
        ..
    } = peers;
    if std::mem::take(&mut fleet.begins_anew) {
        fleet.late.clear();
        windows.begin_anew(policy, &known.figures, now);
        sequential.begin_anew(policy, &known.epochs, now);
    }
    for (rollout, late) in fleet.take_late(policy, &known.identities) {
        windows.add_before(rollout, late.requests);
    }
    let recent = fleet.take_recent(policy, &known.identities, &known.epochs);
    if fleet.role == FleetRole::Elected {
        sequential.learn(policy, &known.statuses, &recent, now);
    }
}
