//! One VM's part in looking after the rollouts of one configuration.

use crate::analysis::ramp_progress::RampProgress;
use crate::policy::action::{Action, Todo};
use crate::policy::board::Board;
use crate::policy::controller::{Controller, Known};
use crate::policy::figures::{Figures, Now};
use crate::policy::fleet_counts::FleetCounts;
use crate::policy::fleet_facts::adopt;
use crate::policy::fleet_view::{FleetRole, FleetShown, FleetView};
use crate::policy::peers::Peers;
use crate::policy::policy::Policy;
use crate::policy::rollout::{Rollout, RolloutStatus};
use crate::policy::rollout_counts::{Epoch, RolloutCounts};
use crate::policy::rollout_identity::RolloutIdentity;
use crate::policy::sequential_guards::SequentialGuards;
use crate::policy::shared_state::{Fact, SharedState};
use crate::policy::shared_store::{HostStatus, NO_CHANGE, SharedStore, create, edit, parse};
use crate::policy::totals::Totals;
use crate::policy::vm_counts::VmCounts;
use crate::policy::windows::Windows;
use crate::value::name::RolloutName;

/// What one VM knows of the rollouts of one configuration.
#[derive(Debug)]
pub struct Worker {
    identities: Vec<RolloutIdentity>,
    statuses: Vec<RolloutStatus>,
    epochs: Vec<Epoch>,
    figures: Vec<Figures>,
    controller: Controller,
    is_in_force: bool,
    has_begun: bool,
    leads: bool,
    seen_revision: u32,
    /// Rollbacks, promotions and steps of ramps that the other VMs do not know yet.
    unwritten: Vec<Action>,
    /// Whether this VM has changed the state without having said so by its revision.
    is_unannounced: bool,
}

/// What came of a tick.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What there is to do. Rollbacks, promotions and steps of ramps are there once all VMs can know of them.
    pub actions: Vec<Action>,
    /// Whether a rollout's status or generation may have changed.
    pub has_learned: bool,
    /// Why not all could be done; it is tried again at the next tick.
    pub trouble: Option<HostStatus>,
}

/// The exchange takes news at each tick, unless Envoy refuses calls.
const MAX_UNTOLD: usize = 4_096;

// === impl Worker ===

impl Worker {
    /// Gets ready for a configuration, and learns what is known of its rollouts. Nothing is changed for the others:
    /// only its first use tells that the configuration is in force.
    pub fn new<S: SharedStore>(policy: &Policy, peers: &mut Peers<S>, now: Now) -> (Self, Report) {
        let mut worker = Self {
            identities: policy.rollouts.iter().map(RolloutIdentity::of).collect(),
            statuses: Vec::new(),
            epochs: Vec::new(),
            figures: Vec::new(),
            controller: Controller::new(policy),
            is_in_force: false,
            has_begun: false,
            leads: false,
            seen_revision: NO_CHANGE,
            unwritten: Vec::new(),
            is_unannounced: false,
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
        self.statuses.get(index).copied().unwrap_or_default()
    }

    /// Whether this VM looks after the rollouts.
    pub fn leads(&self) -> bool {
        self.leads && self.is_in_force
    }

    /// What each rollout's facts are tied to.
    pub fn identities(&self) -> &[RolloutIdentity] {
        &self.identities
    }

    /// What the VMs of this proxy have counted, by rollout.
    pub fn own_counts(&self, policy: &Policy, board: &Board) -> Vec<FleetCounts> {
        let known = self.identities.iter().zip(&self.epochs);
        let own = |(rollout, (identity, epoch)): (&Rollout, (&RolloutIdentity, &Epoch))| {
            let mut counts = RolloutCounts::of(*epoch);
            board.add_to(&rollout.name, &mut counts);
            FleetCounts::of(rollout, identity, counts.totals)
        };
        policy.rollouts.iter().zip(known).map(own).collect()
    }

    /// What the stats show of guard and quality gate.
    pub fn shown(&self, index: usize) -> Option<FleetShown> {
        let digest = self.identities.get(index)?.digest;
        self.controller.shown(index, digest)
    }

    /// What is counted now belongs to.
    pub fn epoch(&self, index: usize) -> Epoch {
        self.epochs.get(index).copied().unwrap_or_default()
    }

    /// Learns from the other VMs, tells them what this one counted, and, where it leads, looks after the
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
        let Peers {
            store,
            keys,
            member,
            board,
            windows,
            sequential,
            fleet,
        } = peers;
        if !member.tick(store, keys, now.steady_ms, counted)? {
            self.leads = false;
            board.take_news();
            *fleet = FleetView::default();
            return Ok(());
        }
        let has_changed = board.look(store, keys)?;
        let has_led = std::mem::replace(&mut self.leads, true);
        if !has_led {
            windows.drop_stale(policy, now);
        }
        let has_changed =
            has_changed || report.has_learned || !has_led || std::mem::take(&mut fleet.has_changed);
        if has_changed {
            self.gather(policy, board, fleet);
        }
        let news = board.take_news();
        sequential.learn(policy, &self.statuses, &news, now);
        if policy.fleet.is_some() {
            self.meet_fleet(policy, fleet, windows, sequential, now);
            if fleet.own_news.len() < MAX_UNTOLD {
                fleet.own_news.extend(news);
            }
        }
        let adopted = adopt(policy, &self.identities, &self.statuses, fleet);
        let known = Known {
            figures: &self.figures,
            has_changed,
            now,
            sequential,
            fleet,
        };
        let actions = self.controller.tick(policy, &known, windows);
        for action in adopted.into_iter().chain(actions) {
            if self.note(&action) {
                report.has_learned = true;
                self.unwritten.push(action);
            } else {
                report.actions.push(action);
            }
        }
        self.write(policy, peers, report)
    }

    fn try_begin<S: SharedStore>(
        &mut self,
        policy: &Policy,
        peers: &mut Peers<S>,
        now: Now,
        report: &mut Report,
    ) -> Result<(), HostStatus> {
        self.is_in_force = true;
        let identities = &self.identities;
        let Peers {
            store, keys, board, ..
        } = peers;
        board.look(store, keys)?;
        let counted = |name: &RolloutName, epoch| {
            let mut counts = RolloutCounts::of(epoch);
            board.add_to(name, &mut counts);
            counts.requests
        };
        let mut ramps = Vec::new();
        self.is_unannounced |= edit(store, &keys.state, |state: &mut SharedState| {
            let begun = state.begin(policy, identities, now.wall_ms, counted);
            ramps = begun.ramps;
            begun.has_changed
        })?;
        let ramps = ramps.into_iter().map(|(rollout, notice)| Action {
            rollout,
            what: Todo::ReportRamp(notice),
        });
        report.actions.extend(ramps);
        self.announce(peers)?;
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
        let rollouts = self.identities.len();
        self.statuses = vec![RolloutStatus::default(); rollouts];
        self.figures = vec![Figures::default(); rollouts];
        self.epochs = vec![Epoch::default(); rollouts];
        for key in peers.keys.documents() {
            create(&peers.store, key)?;
        }
        let revision = peers.revision()?;
        self.read_state(policy, peers)?;
        self.seen_revision = revision;
        peers.board.look(&peers.store, &peers.keys)?;
        self.gather(policy, &peers.board, &peers.fleet);
        let (identities, epochs) = (&self.identities, &self.epochs);
        let windows = &mut peers.windows;
        windows.begin(policy, identities, epochs, &self.figures, now);
        peers.sequential.begin(policy, epochs, now);
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
            self.controller.show_again();
        }
        Ok(true)
    }

    /// Reads what the VMs know. Says whether it is about this configuration.
    fn read_state<S: SharedStore>(
        &mut self,
        policy: &Policy,
        peers: &Peers<S>,
    ) -> Result<bool, HostStatus> {
        let state = peers.store.get(&peers.keys.state)?;
        let state: SharedState = state.map(|(json, _)| parse(&json)).unwrap_or_default();
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
        Ok(state.is_about(policy))
    }

    /// Learns what went on at other proxies, and how much of it is not of now.
    fn meet_fleet(
        &self,
        policy: &Policy,
        fleet: &mut FleetView,
        windows: &mut Windows,
        sequential: &mut SequentialGuards,
        now: Now,
    ) {
        if std::mem::take(&mut fleet.begins_anew) {
            fleet.late.clear();
            windows.begin_anew(policy, &self.figures, now);
            sequential.begin_anew(policy, &self.epochs, now);
        }
        for (name, late) in std::mem::take(&mut fleet.late) {
            let index = policy.named(&name);
            let known = index.and_then(|it| policy.rollouts.get(it).zip(self.identities.get(it)));
            if let Some((rollout, identity)) = known {
                let mut totals = Totals::default();
                late.add_to(rollout, identity, &mut totals);
                windows.add_before(rollout, totals.requests);
            }
        }
        let mut news = std::mem::take(&mut fleet.news);
        news.retain_mut(|(name, news)| {
            let index = policy.named(name);
            let known = index.and_then(|it| self.identities.get(it).zip(self.epochs.get(it)));
            let known = known.filter(|(identity, _)| identity.generation == news.generation);
            if let Some((_, epoch)) = known {
                news.generation = epoch.generation;
            }
            known.is_some()
        });
        if fleet.role == FleetRole::Elected {
            sequential.learn(policy, &self.statuses, &news, now);
        }
    }

    /// Adds up what all VMs counted, and the other proxies of the fleet.
    fn gather(&mut self, policy: &Policy, board: &Board, fleet: &FleetView) {
        let known = self.identities.iter().zip(&self.statuses).zip(&self.epochs);
        for ((rollout, figures), ((identity, status), epoch)) in
            policy.rollouts.iter().zip(&mut self.figures).zip(known)
        {
            let mut counts = RolloutCounts::of(*epoch);
            board.add_to(&rollout.name, &mut counts);
            fleet.add_to(rollout, identity, &mut counts.totals);
            *figures = Figures {
                status: *status,
                totals: counts.totals,
            };
        }
    }

    /// Takes note of what has become of a rollout. Says whether the others have to know.
    fn note(&mut self, action: &Action) -> bool {
        let Some(status) = self.statuses.get_mut(action.rollout) else {
            return false;
        };
        match action.what {
            Todo::RollBack { cause, .. } => status.tripped = Some(cause),
            Todo::Promote(at_ms) => status.promoted_at_ms = Some(at_ms),
            Todo::SetSlowAfter(ns) => status.slow_after_ns = Some(ns),
            Todo::Advance { to, .. } => status.ramp = Some(RampProgress::AtStep(to)),
            _ => return false,
        }
        if let Some(figures) = self.figures.get_mut(action.rollout) {
            figures.status = *status;
        }
        true
    }

    /// Writes all that the others have to know, in one change.
    fn write<S: SharedStore>(
        &mut self,
        policy: &Policy,
        peers: &Peers<S>,
        report: &mut Report,
    ) -> Result<(), HostStatus> {
        if self.unwritten.is_empty() {
            return self.announce(peers);
        }
        let mut is_new = Vec::new();
        let (identities, unwritten) = (&self.identities, &self.unwritten);
        self.is_unannounced |= edit(
            &peers.store,
            &peers.keys.state,
            |state: &mut SharedState| {
                is_new.clear();
                is_new.extend(unwritten.iter().map(|action| {
                    let rollout = policy.rollouts.get(action.rollout);
                    let identity = identities.get(action.rollout);
                    let (Some(rollout), Some(identity)) = (rollout, identity) else {
                        return false;
                    };
                    match action.what {
                        Todo::RollBack { cause, .. } => {
                            state.add(&rollout.name, identity, Fact::RolledBack(cause))
                        }
                        Todo::SetSlowAfter(ns) => {
                            state.add(&rollout.name, identity, Fact::SlowAfter(ns))
                        }
                        Todo::Advance { from, to, .. } => {
                            state.add(&rollout.name, identity, Fact::Advanced(from, to))
                        }
                        Todo::Promote(at_ms) => {
                            state.add(&rollout.name, identity, Fact::Promoted(at_ms))
                        }
                        _ => false,
                    }
                }));
                is_new.contains(&true)
            },
        )?;
        if is_new.contains(&false) {
            // Another VM has written something else: this one has to learn it.
            self.seen_revision = NO_CHANGE;
        }
        let written = std::mem::take(&mut self.unwritten).into_iter().zip(is_new);
        report.actions.extend(
            written
                .filter(|&(_, is_new)| is_new)
                .map(|(action, _)| action),
        );
        self.announce(peers)
    }

    /// Gives the state another revision, so that all VMs read it.
    fn announce<S: SharedStore>(&mut self, peers: &Peers<S>) -> Result<(), HostStatus> {
        if self.is_unannounced {
            peers.announce()?;
            self.is_unannounced = false;
        }
        Ok(())
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
