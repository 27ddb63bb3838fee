//! The exchange of one proxy with its fleet: when to call etcd, what to ask, and what the answer means.

use crate::fleet::aggregate::Aggregate;
use crate::fleet::asked::{Asked, Call};
use crate::fleet::credentials::Credentials;
use crate::fleet::event::FleetEvent;
use crate::fleet::hex::Hex;
use crate::fleet::keys::FleetKeys;
use crate::fleet::own::Own;
use crate::fleet::proxies::Proxies;
use crate::fleet::request::FleetRequest;
use crate::fleet::shared::FleetShared;
use crate::fleet::verdicts::Verdicts;
use crate::policy::action::{Action, Todo};
use crate::policy::figures::Now;
use crate::policy::fleet_settings::FleetSettings;
use crate::policy::fleet_view::FleetRole;
use crate::policy::peers::Peers;
use crate::policy::policy::Policy;
use crate::policy::shared_store::{HostStatus, SharedStore, edit, read};
use crate::policy::worker::Worker;
use std::collections::HashMap;
use xxhash_rust::xxh64::{Xxh64Builder, xxh64};

/// The exchange as the VM that leads carries it on.
#[derive(Debug, Default)]
pub struct Exchange {
    pub(super) settings: Option<FleetSettings>,
    pub(super) keys: FleetKeys,
    pub(super) own: Own,
    pub(super) aggregate: Aggregate,
    pub(super) proxies: Proxies,
    pub(super) verdicts: Verdicts,
    pub(super) credentials: Credentials,
    pub(super) call: Option<Call>,
    pub(super) due_ms: u64,
    pub(super) last_call_ms: Option<u64>,
    /// Whether something waits for the next call.
    pub(super) is_urgent: bool,
    pub(super) is_connected: Option<bool>,
    pub(super) is_answered: bool,
    /// Whether the other VMs know that the fleet has answered.
    pub(super) has_told_answered: bool,
    pub(super) failures: u32,
    pub(super) last_revision: u64,
    pub(super) has_skipped: bool,
    pub(super) proxy_count: u64,
    pub(super) errors: u64,
    pub(super) events: Vec<FleetEvent>,
    pub(super) reasons: HashMap<String, String, Xxh64Builder>,
}

/// What does not come from the policy.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Envoy's `node.id`.
    pub name: &'a str,
    /// The password, where the policy asks for one and there is one.
    pub password: Option<&'a str>,
    /// Any number, another one each time.
    pub random: u64,
}

// === impl Exchange ===

impl Exchange {
    /// Calls that were asked for early come no faster than this.
    const MIN_PAUSE_MS: u64 = 190;
    /// A call may never come back. It is given up so long after it has timed out.
    const GRACE_MS: u64 = 1_000;
    /// With so many failures in a row this proxy judges by itself.
    const FAILURES: u32 = 2;
    /// Failed exchanges and keys that could not be read since this was asked last.
    pub fn take_errors(&mut self) -> u64 {
        std::mem::take(&mut self.errors)
    }

    /// What there is to say.
    pub fn take_events(&mut self) -> Vec<FleetEvent> {
        std::mem::take(&mut self.events)
    }

    /// Whether the last exchange went well.
    pub fn is_connected(&self) -> bool {
        self.is_connected == Some(true)
    }

    /// How many proxies told something within three intervals.
    pub fn proxies(&self) -> u64 {
        self.proxy_count
    }

    /// This VM does not lead, or there is no fleet: all is forgotten.
    pub fn rest(&mut self) {
        if self.settings.is_some() {
            *self = Self {
                errors: self.errors,
                ..Self::default()
            };
        }
    }

    /// Why rollouts were rolled back is told with the verdict.
    pub fn note(&mut self, policy: &Policy, actions: &[Action]) {
        for action in actions {
            if let (Todo::RollBack { reason, .. }, Some(rollout)) =
                (&action.what, policy.rollouts.get(action.rollout))
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
        surroundings: Surroundings<'_>,
    ) -> Result<Option<FleetRequest>, HostStatus> {
        if self.settings.as_ref() != Some(settings) {
            self.begin(settings, peers, now, surroundings)?;
        }
        self.tell_answered(peers)?;
        let news = std::mem::take(&mut peers.fleet.own_news);
        self.own
            .absorb(policy, worker.identities(), news, settings.interval_ms);
        let now_ms = now.steady_ms;
        if let Some(call) = &self.call {
            let limit_ms = call.timeout_ms.saturating_add(Self::GRACE_MS);
            if now_ms.saturating_sub(call.since_ms) <= limit_ms {
                return Ok(None);
            }
            self.fail(
                "no answer; is proxy_on_http_call_response allowed?",
                peers,
                now_ms,
                surroundings.random,
            );
        }
        let unpublished = self.unpublished(policy, worker, peers.fleet.role);
        if !self.is_due(peers.board.is_awaited(), !unpublished.is_empty(), now_ms) {
            return Ok(None);
        }
        if let Some(auth) = &settings.auth
            && self.credentials.token().is_none()
        {
            if !self.credentials.is_due(now_ms) {
                return Ok(None);
            }
            let Some(password) = surroundings.password else {
                let why = format!(
                    "there is no {} in the VM's environment (vm_config.environment_variables), or environ_get and \
                     environ_sizes_get are not allowed",
                    auth.password_env
                );
                self.fail(&why, peers, now_ms, surroundings.random);
                return Ok(None);
            };
            let body = Credentials::login(&auth.user, password);
            return Ok(Some(self.call(
                "/v3/auth/authenticate",
                body,
                None,
                Vec::new(),
                now_ms,
                settings,
            )));
        }
        self.is_urgent = false;
        let beats = peers.board.beats().collect();
        let (txn, asked) = self.ask(policy, settings, worker, peers, now, unpublished);
        let body = txn.to_json();
        Ok(Some(self.call(
            "/v3/kv/txn",
            body,
            Some(asked),
            beats,
            now_ms,
            settings,
        )))
    }

    /// Whether it is time to call. Calls come early where clients wait or something is to be told, but not as fast as
    /// one likes: the whole fleet may have to.
    fn is_due(&self, is_awaited: bool, has_news: bool, now_ms: u64) -> bool {
        let since_last_ms = now_ms.saturating_sub(self.last_call_ms.unwrap_or(0));
        if self.last_call_ms.is_some() && since_last_ms < Self::MIN_PAUSE_MS {
            return false;
        }
        let pause_ms = (self.interval_ms() / 4).clamp(Self::MIN_PAUSE_MS, 1_000);
        let is_early = self.is_urgent || has_news || (is_awaited && since_last_ms >= pause_ms);
        now_ms >= self.due_ms || (is_early && self.is_connected())
    }

    fn begin<S: SharedStore>(
        &mut self,
        settings: &FleetSettings,
        peers: &Peers<S>,
        now: Now,
        surroundings: Surroundings<'_>,
    ) -> Result<(), HostStatus> {
        let mut shared = FleetShared::default();
        edit(
            &peers.store,
            &peers.keys.fleet,
            |document: &mut FleetShared| {
                let is_new = document.incarnation == Hex::default();
                if is_new {
                    let seed = xxh64(
                        surroundings.name.as_bytes(),
                        now.wall_ms ^ surroundings.random,
                    );
                    document.incarnation = Hex(seed.max(1));
                }
                shared.clone_from(document);
                is_new
            },
        )?;
        *self = Self {
            settings: Some(settings.clone()),
            keys: FleetKeys::below(&settings.prefix),
            own: Own::of(&shared, surroundings.name.to_owned()),
            // All has to be read anew, also where another VM has done so before.
            has_told_answered: shared.is_answered,
            due_ms: now.steady_ms,
            errors: self.errors,
            ..Self::default()
        };
        Ok(())
    }

    /// The worker has acted on the first answer.
    fn tell_answered<S: SharedStore>(&mut self, peers: &Peers<S>) -> Result<(), HostStatus> {
        if self.is_answered && !self.has_told_answered {
            edit(
                &peers.store,
                &peers.keys.fleet,
                |shared: &mut FleetShared| !std::mem::replace(&mut shared.is_answered, true),
            )?;
            self.has_told_answered = true;
        }
        Ok(())
    }

    fn call(
        &mut self,
        path: &'static str,
        body: Vec<u8>,
        asked: Option<Vec<Asked>>,
        beats: Vec<(u32, u64)>,
        now_ms: u64,
        settings: &FleetSettings,
    ) -> FleetRequest {
        let timeout_ms = settings.interval_ms.clamp(500, 1_000);
        self.last_call_ms = Some(now_ms);
        self.call = Some(Call {
            token: None,
            since_ms: now_ms,
            timeout_ms,
            asked,
            beats,
        });
        FleetRequest {
            path,
            authorization: self.credentials.token().map(str::to_owned),
            body,
            timeout_ms,
        }
    }

    /// Envoy has taken the call and given it a number; nothing where it has refused it, for a reason.
    pub fn sent<S: SharedStore>(
        &mut self,
        taken: Result<u32, &str>,
        peers: &mut Peers<S>,
        now: Now,
        random: u64,
    ) {
        match (taken, &mut self.call) {
            (Ok(token), Some(call)) => call.token = Some(token),
            (Ok(_), None) => {}
            (Err(why), _) => self.fail(why, peers, now.steady_ms, random),
        }
    }

    /// Whether a call of this number is under way.
    pub fn awaits(&self, token: u32) -> bool {
        self.call
            .as_ref()
            .is_some_and(|call| call.token == Some(token))
    }

    pub(super) fn fail<S: SharedStore>(
        &mut self,
        why: &str,
        peers: &mut Peers<S>,
        now_ms: u64,
        random: u64,
    ) {
        self.call = None;
        self.errors = self.errors.saturating_add(1);
        self.failures = self.failures.saturating_add(1);
        self.schedule(now_ms, random);
        if self.failures >= Self::FAILURES {
            peers.fleet.take_role(FleetRole::Alone);
        }
        if self.is_connected.replace(false) != Some(false) {
            self.events.push(FleetEvent::Disconnected(why.to_owned()));
        }
    }

    /// The next exchange is an interval away, less up to a tenth of it.
    pub(super) fn schedule(&mut self, now_ms: u64, random: u64) {
        let interval_ms = self.interval_ms();
        let jitter_ms = random.checked_rem((interval_ms / 10).max(1)).unwrap_or(0);
        let since_ms = self.last_call_ms.unwrap_or(now_ms);
        self.due_ms = since_ms
            .saturating_add(interval_ms)
            .saturating_sub(jitter_ms);
    }

    pub(super) fn interval_ms(&self) -> u64 {
        let settings = self.settings.as_ref();
        settings.map_or(FleetSettings::DEFAULT_INTERVAL_MS, |it| it.interval_ms)
    }
}

/// What the VMs of this proxy share of the exchange.
///
/// # Errors
/// Where the host refuses the call.
pub fn shared<S: SharedStore>(peers: &Peers<S>) -> Result<FleetShared, HostStatus> {
    Ok(read(&peers.store, &peers.keys.fleet)?.0)
}
