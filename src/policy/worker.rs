//! One VM's part in looking after the rollouts of one configuration.

use crate::policy::action::{Action, RolloutAction};
use crate::policy::figures::Now;
use crate::policy::fleet_counts::FleetCounts;
use crate::policy::fleet_view::FleetShown;
use crate::policy::knowledge::Knowledge;
use crate::policy::leader::Leader;
use crate::policy::outbox::Outbox;
use crate::policy::peers::Peers;
use crate::policy::policy::Policy;
use crate::policy::proxy_counts::ProxyCounts;
use crate::policy::rollout::RolloutStatus;
use crate::policy::rollout_counts::Epoch;
use crate::policy::rollout_identity::RolloutIdentity;
use crate::policy::shared_state::SharedState;
use crate::policy::shared_store::{HostStatus, NO_CHANGE, SharedStore, create, read};
use crate::policy::vm_counts::VmCounts;
use crate::value::name::RolloutName;

/// One VM's part in looking after the rollouts of one configuration.
#[derive(Debug)]
pub struct Worker {
    known: Knowledge,
    leader: Leader,
    outbox: Outbox,
    is_in_force: bool,
    has_begun: bool,
    seen_revision: u32,
}

/// What came of a tick.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What there is to do. Rollbacks, promotions and steps of ramps are there once all VMs can know of them.
    pub actions: Vec<RolloutAction>,
    /// Whether a rollout's status or generation may have changed.
    pub has_learned: bool,
    /// Why not all could be done; it is tried again at the next tick.
    pub trouble: Option<HostStatus>,
}

// === impl Worker ===

impl Worker {
    /// Gets ready for a configuration, and learns what is known of its rollouts. Nothing is changed for the others:
    /// only its first use shows that the configuration is in force.
    pub fn new<S: SharedStore>(policy: &Policy, peers: &mut Peers<S>, now: Now) -> (Self, Report) {
        let mut worker = Self {
            known: Knowledge::of(policy),
            leader: Leader::new(policy),
            outbox: Outbox::default(),
            is_in_force: false,
            has_begun: false,
            seen_revision: NO_CHANGE,
        };
        let trouble = worker.get_ready(policy, peers, now).err();
        (worker, Report::learned(trouble))
    }

    /// The configuration is used, so it is in force: what was known of others ends.
    pub fn begin<S: SharedStore>(
        &mut self,
        policy: &Policy,
        peers: &mut Peers<S>,
        now: Now,
    ) -> Report {
        let mut report = Report::learned(None);
        report.trouble = self.try_begin(policy, peers, now, &mut report).err();
        report
    }

    /// Whether the configuration is in force, as far as this VM knows.
    pub fn is_in_force(&self) -> bool {
        self.is_in_force
    }

    /// What has become of a rollout.
    pub fn status(&self, index: usize) -> RolloutStatus {
        self.known.status(index)
    }

    /// Whether this VM looks after the rollouts.
    pub fn leads(&self) -> bool {
        self.leader.leads() && self.is_in_force
    }

    /// What each rollout's facts are tied to.
    pub fn identities(&self) -> &[RolloutIdentity] {
        &self.known.identities
    }

    /// What the VMs of this proxy have counted, by rollout.
    pub fn own_counts(&self, policy: &Policy, counts: &ProxyCounts) -> Vec<FleetCounts> {
        self.known.own_counts(policy, counts)
    }

    /// What the stats show of guard and quality gate.
    pub fn shown(&self, index: usize) -> Option<FleetShown> {
        let digest = self.known.identities.get(index)?.digest;
        self.leader.shown(index, digest)
    }

    /// What is counted now belongs to.
    pub fn epoch(&self, index: usize) -> Epoch {
        self.known.epoch(index)
    }

    /// Reads what the other VMs know, publishes what this one counted, and, where it leads, looks after the
    /// rollouts.
    pub fn tick<S: SharedStore>(
        &mut self,
        policy: &Policy,
        peers: &mut Peers<S>,
        now: Now,
        counted: Option<VmCounts>,
    ) -> Report {
        let mut report = Report::default();
        let result = self.try_tick(policy, peers, now, counted, &mut report);
        report.trouble = result.err();
        report
    }

    fn try_tick<S: SharedStore>(
        &mut self,
        policy: &Policy,
        peers: &mut Peers<S>,
        now: Now,
        counted: Option<VmCounts>,
        report: &mut Report,
    ) -> Result<(), HostStatus> {
        if !self.has_begun {
            report.has_learned = true;
            self.try_begin(policy, peers, now, report)?;
        }
        report.has_learned |= self.learn(policy, peers, now)?;
        if !self.is_in_force {
            return Ok(());
        }
        let (store, keys) = (&peers.store, &peers.keys);
        if !peers.member.tick(store, keys, now.steady_ms, counted)? {
            self.leader.step_down(peers);
            return Ok(());
        }
        let (known, has_learned) = (&mut self.known, report.has_learned);
        for action in self.leader.tick(policy, known, has_learned, peers, now)? {
            if self.known.note(&action) {
                report.has_learned = true;
                self.outbox.push(action);
            } else {
                report.actions.push(action);
            }
        }
        let identities = &self.known.identities;
        let written = self.outbox.write(policy, identities, peers)?;
        if written.is_overtaken {
            self.seen_revision = NO_CHANGE;
        }
        report.actions.extend(written.actions);
        self.outbox.announce(peers)
    }

    fn try_begin<S: SharedStore>(
        &mut self,
        policy: &Policy,
        peers: &mut Peers<S>,
        now: Now,
        report: &mut Report,
    ) -> Result<(), HostStatus> {
        self.is_in_force = true;
        peers.counts.refresh(&peers.store, &peers.keys)?;
        let counts = &peers.counts;
        let counted = |name: &RolloutName, epoch| counts.of_rollout(name, epoch).totals.requests;
        let mut ramps = Vec::new();
        self.outbox.edit(peers, |state| {
            let begun = state.begin(policy, &self.known.identities, now.wall_ms, counted);
            ramps = begun.ramps;
            begun.has_changed
        })?;
        let ramps = ramps.into_iter().map(|(rollout, notice)| RolloutAction {
            rollout,
            action: Action::ReportRamp(notice),
        });
        report.actions.extend(ramps);
        self.outbox.announce(peers)?;
        self.get_ready(policy, peers, now)?;
        self.has_begun = true;
        Ok(())
    }

    /// Learns all that the VMs know, and begins the windows that have not begun. What this VM knew before is void:
    /// another configuration may have been in force meanwhile.
    fn get_ready<S: SharedStore>(
        &mut self,
        policy: &Policy,
        peers: &mut Peers<S>,
        now: Now,
    ) -> Result<(), HostStatus> {
        self.known.forget();
        for key in peers.keys.documents() {
            create(&peers.store, key)?;
        }
        let revision = peers.revision()?;
        self.read_state(policy, peers)?;
        self.seen_revision = revision;
        peers.counts.refresh(&peers.store, &peers.keys)?;
        self.known.add_up(policy, &peers.counts, &peers.fleet);
        peers.watch(policy, &self.known, now);
        Ok(())
    }

    /// Learns what the VMs know, where it has changed. Says whether it has.
    fn learn<S: SharedStore>(
        &mut self,
        policy: &Policy,
        peers: &mut Peers<S>,
        now: Now,
    ) -> Result<bool, HostStatus> {
        let revision = peers.revision()?;
        if revision == self.seen_revision {
            return Ok(false);
        }
        let is_in_force = self.read_state(policy, peers)?;
        if is_in_force && !self.is_in_force {
            self.get_ready(policy, peers, now)?;
        }
        self.seen_revision = revision;
        if std::mem::replace(&mut self.is_in_force, is_in_force) && !is_in_force {
            // This VM may have been the last to show something. The others show theirs when they learn of it.
            peers.announce()?;
        }
        if is_in_force {
            self.leader.show_again();
        }
        Ok(true)
    }

    /// Reads what the VMs know. Says whether it is about this configuration.
    fn read_state<S: SharedStore>(
        &mut self,
        policy: &Policy,
        peers: &Peers<S>,
    ) -> Result<bool, HostStatus> {
        let (state, _): (SharedState, _) = read(&peers.store, &peers.keys.state)?;
        self.known.learn(policy, &state);
        Ok(state.is_about(policy))
    }
}

// === impl Report ===

impl Report {
    fn learned(trouble: Option<HostStatus>) -> Self {
        Self {
            has_learned: true,
            trouble,
            ..Self::default()
        }
    }
}
