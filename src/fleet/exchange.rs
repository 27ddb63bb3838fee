//! The exchange of one proxy with its fleet: when to call etcd, what to ask, and what the answer means.

use crate::fleet::aggregate::Aggregate;
use crate::fleet::calls::Calls;
use crate::fleet::connection::Connection;
use crate::fleet::event::FleetEvent;
use crate::fleet::keys::FleetKeys;
use crate::fleet::local_proxy::LocalProxy;
use crate::fleet::proxies::Proxies;
use crate::fleet::request::FleetRequest;
use crate::fleet::shared::FleetShared;
use crate::fleet::verdicts::Verdicts;
use crate::policy::action::{Action, RolloutAction};
use crate::policy::figures::Now;
use crate::policy::fleet_settings::FleetSettings;
use crate::policy::fleet_view::FleetRole;
use crate::policy::peers::Peers;
use crate::policy::policy::Policy;
use crate::policy::shared_store::{HostStatus, SharedStore, read};
use crate::policy::worker::Worker;
use std::collections::HashMap;
use xxhash_rust::xxh64::{Xxh64Builder, xxh64};

/// The exchange as the VM that leads carries it on.
#[derive(Debug, Default)]
pub struct Exchange {
    pub(super) settings: Option<FleetSettings>,
    pub(super) keys: FleetKeys,
    pub(super) local: LocalProxy,
    pub(super) aggregate: Aggregate,
    pub(super) proxies: Proxies,
    pub(super) verdicts: Verdicts,
    pub(super) calls: Calls,
    pub(super) connection: Connection,
    pub(super) is_answered: bool,
    /// Whether the other VMs know that the fleet has answered.
    pub(super) has_announced: bool,
    pub(super) last_revision: u64,
    pub(super) proxy_count: u64,
    pub(super) reasons: HashMap<String, String, Xxh64Builder>,
}

/// What does not come from the policy.
#[derive(Clone, Copy, Debug)]
pub struct Environment<'a> {
    /// Envoy's `node.id`.
    pub name: &'a str,
    /// The password, where the policy asks for one and there is one.
    pub password: Option<&'a str>,
    /// Any number, another one each time.
    pub random: u64,
}

// === impl Exchange ===

impl Exchange {
    /// Failed exchanges and keys that could not be read since the last call.
    pub fn take_errors(&mut self) -> u64 {
        self.connection.take_errors()
    }

    /// Events to log.
    pub fn take_events(&mut self) -> Vec<FleetEvent> {
        self.connection.take_events()
    }

    /// Whether the last exchange went well.
    pub fn is_connected(&self) -> bool {
        self.connection.is_good()
    }

    /// How many proxies have published within three intervals.
    pub fn proxies(&self) -> u64 {
        self.proxy_count
    }

    /// Ends the exchange, as this VM does not lead or there is no fleet: all is forgotten.
    pub fn stop(&mut self) {
        if self.settings.is_some() {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.connection.forget();
        *self = Self {
            connection: std::mem::take(&mut self.connection),
            ..Self::default()
        };
    }

    /// Keeps why rollouts were rolled back, for the verdict.
    pub fn note(&mut self, policy: &Policy, actions: &[RolloutAction]) {
        for action in actions {
            if let (Action::RollBack { reason, .. }, Some(rollout)) =
                (&action.action, policy.rollouts.get(action.rollout))
            {
                let name = rollout.name.as_str().to_owned();
                self.reasons.insert(name, reason.clone());
            }
        }
    }

    /// What to ask of etcd now, if anything. [`Exchange::sent`] has to follow.
    ///
    /// # Errors
    /// Where the host refuses a call.
    pub fn tick<S: SharedStore>(
        &mut self,
        policy: &Policy,
        settings: &FleetSettings,
        worker: &Worker,
        peers: &mut Peers<S>,
        now: Now,
        environment: Environment<'_>,
    ) -> Result<Option<FleetRequest>, HostStatus> {
        if self.settings.as_ref() != Some(settings) {
            self.begin(settings, peers, now, environment)?;
        }
        // The worker has acted on the first answer.
        if self.is_answered && !self.has_announced {
            FleetShared::announce_answered(peers)?;
            self.has_announced = true;
        }
        let recent = std::mem::take(&mut peers.fleet.own_recent);
        self.local
            .absorb(policy, worker.identities(), recent, settings.interval_ms);
        let now_ms = now.steady_ms;
        if let Some(call) = self.calls.under_way() {
            if !call.is_lost(now_ms) {
                return Ok(None);
            }
            self.fail(
                "no answer; is proxy_on_http_call_response allowed?",
                peers,
                now_ms,
                environment.random,
            );
        }
        let unpublished = self.unpublished(policy, worker, peers.fleet.role);
        let (is_awaited, has_unpublished) = (peers.counts.is_awaited(), !unpublished.is_empty());
        let is_connected = self.is_connected();
        if !self
            .calls
            .is_due(is_connected, is_awaited, has_unpublished, now_ms)
        {
            return Ok(None);
        }
        if let Some(auth) = &settings.auth
            && self.calls.credentials.token().is_none()
        {
            if !self.calls.credentials.is_due(now_ms) {
                return Ok(None);
            }
            let Some(password) = environment.password else {
                let why = format!(
                    "there is no {} in the VM's environment (vm_config.environment_variables), or environ_get and \
                     environ_sizes_get are not allowed",
                    auth.password_env
                );
                self.fail(&why, peers, now_ms, environment.random);
                return Ok(None);
            };
            return Ok(Some(self.calls.start_login(&auth.user, password, now_ms)));
        }
        self.calls.is_urgent = false;
        let heartbeats = peers.counts.heartbeats().collect();
        let (txn, pending) = self.transaction(policy, settings, worker, peers, now, unpublished);
        Ok(Some(
            self.calls
                .start_transaction(&txn, pending, heartbeats, now_ms),
        ))
    }

    fn begin<S: SharedStore>(
        &mut self,
        settings: &FleetSettings,
        peers: &Peers<S>,
        now: Now,
        environment: Environment<'_>,
    ) -> Result<(), HostStatus> {
        let Environment { name, random, .. } = environment;
        let seed = xxh64(name.as_bytes(), now.wall_ms ^ random);
        let shared = FleetShared::begin(peers, seed)?;
        self.forget();
        self.keys = FleetKeys::below(&settings.prefix);
        self.local = LocalProxy::of(&shared, name.to_owned());
        // All has to be read anew, also where another VM has done so before.
        self.has_announced = shared.is_answered;
        self.calls = Calls::starting(settings.interval_ms, now.steady_ms);
        self.settings = Some(settings.clone());
        Ok(())
    }

    /// Envoy has taken the call and given it a number; nothing where it has refused it, for a reason.
    pub fn sent<S: SharedStore>(
        &mut self,
        taken: Result<u32, &str>,
        peers: &mut Peers<S>,
        now: Now,
        random: u64,
    ) {
        match taken {
            Ok(token) => self.calls.sent(token),
            Err(why) => self.fail(why, peers, now.steady_ms, random),
        }
    }

    /// Whether a call of this number is under way.
    pub fn awaits(&self, token: u32) -> bool {
        let call = self.calls.under_way();
        call.is_some_and(|call| call.token == Some(token))
    }

    pub(super) fn fail<S: SharedStore>(
        &mut self,
        why: &str,
        peers: &mut Peers<S>,
        now_ms: u64,
        random: u64,
    ) {
        self.calls.end();
        self.calls.schedule(now_ms, random);
        self.connection.failed(why);
        if self.connection.is_lost() {
            peers.fleet.take_role(FleetRole::Alone);
        }
    }
}

/// What the VMs of this proxy share of the exchange.
///
/// # Errors
/// Where the host refuses the call.
pub fn shared<S: SharedStore>(peers: &Peers<S>) -> Result<FleetShared, HostStatus> {
    Ok(read(&peers.store, &peers.keys.fleet)?.0)
}
