//! The exchange of one proxy with its fleet: when to call etcd, what to ask, and what the answer means.

use crate::analysis::ramp_progress::RampProgress;
use crate::fleet::aggregate::Aggregate;
use crate::fleet::aggregate_document::{AggregateDocument, RampAge};
use crate::fleet::credentials::Credentials;
use crate::fleet::etcd::{Op, Txn};
use crate::fleet::etcd_response::{OpResponse, TxnResponse};
use crate::fleet::event::FleetEvent;
use crate::fleet::hex::Hex;
use crate::fleet::keys::{FleetKeys, VerdictKey, VerdictKind};
use crate::fleet::own::Own;
use crate::fleet::proxies::{Proxies, Retiring};
use crate::fleet::request::FleetRequest;
use crate::fleet::shared::FleetShared;
use crate::fleet::verdict_document;
use crate::fleet::verdicts::{Use, Verdicts};
use crate::fleet::wire_counts::WireCounts;
use crate::json::found::Found;
use crate::policy::action::{Action, Todo};
use crate::policy::figures::Now;
use crate::policy::fleet_settings::FleetSettings;
use crate::policy::fleet_view::{FleetCounts, FleetRole, FleetVerdict};
use crate::policy::peers::Peers;
use crate::policy::policy::Policy;
use crate::policy::shared_store::{HostStatus, SharedStore, edit, read};
use crate::policy::worker::Worker;
use std::collections::HashMap;
use xxhash_rust::xxh64::{Xxh64Builder, xxh64};

/// The exchange as the VM that leads carries it on.
#[derive(Debug, Default)]
pub struct Exchange {
    settings: Option<FleetSettings>,
    keys: FleetKeys,
    own: Own,
    aggregate: Aggregate,
    proxies: Proxies,
    verdicts: Verdicts,
    credentials: Credentials,
    call: Option<Call>,
    due_ms: u64,
    last_call_ms: Option<u64>,
    /// Whether something waits for the next call.
    is_urgent: bool,
    is_connected: Option<bool>,
    is_answered: bool,
    /// Whether the other VMs know that the fleet has answered.
    has_told_answered: bool,
    failures: u32,
    last_revision: u64,
    has_skipped: bool,
    proxy_count: u64,
    errors: u64,
    events: Vec<FleetEvent>,
    reasons: HashMap<String, String, Xxh64Builder>,
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

/// A call that is under way.
#[derive(Debug)]
struct Call {
    token: Option<u32>,
    since_ms: u64,
    timeout_ms: u64,
    /// Nothing where it asks for a token.
    asked: Option<Vec<Asked>>,
    /// The last beat of each VM whose counts are told.
    beats: Vec<(u32, u64)>,
}

/// What an operation of a call is about.
#[derive(Debug)]
enum Asked {
    Own,
    WriteAggregate(Box<AggregateDocument>, bool),
    ReadAggregate,
    Verdicts(bool),
    Proxies(bool),
    Publish(VerdictKey, FleetVerdict),
    End(VerdictKey),
}

// === impl Exchange ===

impl Exchange {
    /// Calls that were asked for early come no faster than this.
    const MIN_PAUSE_MS: u64 = 190;
    /// A call may never come back. It is given up so long after it has timed out.
    const GRACE_MS: u64 = 1_000;
    /// With so many failures in a row this proxy judges by itself.
    const FAILURES: u32 = 2;
    /// etcd takes 128 operations in a transaction.
    const MAX_VERDICTS: usize = 32;

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

    /// What this proxy knows of rollouts and the fleet does not.
    fn unpublished(
        &self,
        policy: &Policy,
        worker: &Worker,
        role: FleetRole,
    ) -> Vec<(VerdictKey, FleetVerdict)> {
        let mut unpublished = Vec::new();
        if !self.is_answered || self.failures > 0 {
            return unpublished;
        }
        for (index, (rollout, identity)) in
            policy.rollouts.iter().zip(worker.identities()).enumerate()
        {
            let (name, status) = (rollout.name.as_str(), worker.status(index));
            if let Some(cause) = status.tripped {
                let key = VerdictKey::new(name, identity.digest, VerdictKind::Rollback);
                if self.verdicts.get(&key).is_none() {
                    let reason = self.reasons.get(name).cloned();
                    let reason = reason.unwrap_or_else(|| cause.as_str().to_owned());
                    unpublished.push((key, FleetVerdict::RolledBack(cause, reason)));
                }
            }
            if let Some(at_ms) = status.promoted_at_ms {
                let key = VerdictKey::new(name, identity.gate, VerdictKind::Promotion);
                if self.verdicts.get(&key).is_none() {
                    unpublished.push((key, FleetVerdict::Promoted(at_ms)));
                }
            }
            if let (Some(ramp @ RampProgress::AtStep(at)), FleetRole::Elected) = (status.ramp, role)
            {
                let key = VerdictKey::new(name, identity.ramp, VerdictKind::Ramp);
                let is_known = matches!(
                    self.verdicts.get(&key),
                    Some(FleetVerdict::Ramp(RampProgress::AtStep(known)))
                        if (known.step, known.requests_before) == (at.step, at.requests_before)
                );
                if !is_known {
                    unpublished.push((key, FleetVerdict::Ramp(ramp)));
                }
            }
        }
        unpublished.truncate(Self::MAX_VERDICTS);
        unpublished
    }

    /// One transaction: this proxy's counts in, what the fleet knows out.
    fn ask<S: SharedStore>(
        &mut self,
        policy: &Policy,
        settings: &FleetSettings,
        worker: &Worker,
        peers: &Peers<S>,
        now: Now,
        unpublished: Vec<(VerdictKey, FleetVerdict)>,
    ) -> (Txn, Vec<Asked>) {
        let (interval_ms, now_ms) = (settings.interval_ms, now.steady_ms);
        let counts = worker.own_counts(policy, &peers.board);
        let identities = worker.identities();
        let told = self
            .own
            .tell(policy, identities, counts, (interval_ms, now_ms / 1_000));
        let key = self
            .keys
            .proxy(self.own.name.as_bytes(), self.own.incarnation);
        let mut ops = vec![Op::put_where_unchanged(&key, self.own.revision, &told)];
        let mut asked = vec![Asked::Own];
        let writes = self.is_answered
            && self
                .aggregate
                .is_open_to(self.own.incarnation, now_ms, interval_ms);
        if writes {
            let (document, retiring) = self.sum_up(policy, settings, worker, now);
            ops.push(self.write_aggregate(&document, &retiring));
            asked.push(Asked::WriteAggregate(
                Box::new(document),
                !retiring.is_empty(),
            ));
        } else {
            let next = self.aggregate.revision.saturating_add(1);
            let next = if self.aggregate.revision == 0 {
                0
            } else {
                next
            };
            ops.push(Op::read(&self.keys.aggregate, next));
            asked.push(Asked::ReadAggregate);
        }
        for (key, verdict) in unpublished {
            let json = verdict_document::to_json(&verdict, &self.own.name, now.wall_ms);
            let revision = self.verdicts.revision(&key);
            ops.push(Op::put_where_unchanged(
                &self.keys.verdict(&key),
                revision,
                &json,
            ));
            asked.push(Asked::Publish(key, verdict));
        }
        if self.aggregate.elects(self.own.incarnation) {
            for (key, revision) in self.ended(policy, worker, now_ms, interval_ms) {
                let name = self.keys.verdict(&key);
                let delete = vec![Op::delete(&name)];
                ops.push(Op::RequestTxn(Txn::where_unchanged(
                    &[(&name, revision)],
                    delete,
                    Vec::new(),
                )));
                asked.push(Asked::End(key));
            }
        }
        let next = self.verdicts.range.next_revision();
        ops.push(Op::read_below(&self.keys.verdicts, next));
        asked.push(Asked::Verdicts(next == 0));
        if writes {
            let next = self.proxies.range.next_revision();
            ops.push(Op::read_below(&self.keys.proxies, next));
            asked.push(Asked::Proxies(next == 0));
        } else {
            self.proxies = Proxies::default();
        }
        (Txn::always(ops), asked)
    }

    /// The fleet as this proxy sees it, and which proxies are no more.
    fn sum_up(
        &mut self,
        policy: &Policy,
        settings: &FleetSettings,
        worker: &Worker,
        now: Now,
    ) -> (AggregateDocument, Vec<Retiring>) {
        let (now_ms, interval_ms) = (now.steady_ms, settings.interval_ms);
        let mut document = AggregateDocument {
            v: AggregateDocument::VERSION,
            elected: self.own.incarnation,
            name: self.own.name.clone(),
            interval_ms,
            ..AggregateDocument::default()
        };
        if !self.aggregate.elects(self.own.incarnation) {
            // The proxies are read with this call.
            let known = &self.aggregate.document;
            document.proxies = known.proxies.max(1);
            document.rollouts.clone_from(&known.rollouts);
            document.retired.clone_from(&known.retired);
            return (document, Vec::new());
        }
        let live = self.proxies.live(now_ms, interval_ms);
        document.proxies = u64::try_from(live).unwrap_or(0).saturating_add(1);
        let retiring = self.proxies.retiring(now_ms, interval_ms);
        let mut retired = self.retired();
        for proxy in retiring.iter().filter_map(|it| it.document.as_ref()) {
            for (name, rollout) in &proxy.rollouts {
                let list = retired.entry(name.clone()).or_default();
                FleetCounts::from(&rollout.counts).add_to_list(list);
            }
        }
        for (name, list) in &mut retired {
            list.retain(|counts| {
                let own = self.own.told(name);
                let is_ours = own.is_some_and(|own| own.is_about(counts));
                is_ours || self.proxies.count_for(name, counts, now_ms, interval_ms)
            });
        }
        retired.retain(|_, list| !list.is_empty());
        for (index, rollout) in policy.rollouts.iter().enumerate() {
            let name = rollout.name.as_str();
            let shown = document.rollouts.entry(name.to_owned()).or_default();
            if let Some(state) = worker.shown(index) {
                shown.show(state);
            }
            let identity = worker.identities().get(index);
            if let (Some(identity), Some(RampProgress::AtStep(at))) =
                (identity, worker.status(index).ramp)
            {
                shown.ramp = Some(RampAge {
                    digest: Hex(identity.ramp),
                    step: u32::try_from(at.step).unwrap_or(u32::MAX),
                    elapsed_ms: now.wall_ms.saturating_sub(at.since_ms),
                });
            }
        }
        for (name, list) in self.sums(&retired) {
            let counts = list.iter().map(WireCounts::from).collect();
            document.rollouts.entry(name).or_default().counts = counts;
        }
        let wire = |list: &Vec<FleetCounts>| list.iter().map(WireCounts::from).collect();
        let retired = retired
            .iter()
            .map(|(name, list)| (name.clone(), wire(list)));
        document.retired = retired.collect();
        (document, retiring)
    }

    fn retired(&self) -> HashMap<String, Vec<FleetCounts>, Xxh64Builder> {
        let retired = self.aggregate.document.retired.iter();
        let counts = |list: &Vec<WireCounts>| list.iter().map(FleetCounts::from).collect();
        retired
            .map(|(name, list)| (name.clone(), counts(list)))
            .collect()
    }

    /// What all proxies have counted, this one too.
    fn sums(
        &self,
        retired: &HashMap<String, Vec<FleetCounts>, Xxh64Builder>,
    ) -> HashMap<String, Vec<FleetCounts>, Xxh64Builder> {
        let mut sums = retired.clone();
        for (name, counts) in self.proxies.counts().chain(self.own.all_told()) {
            counts.add_to_list(sums.entry(name.clone()).or_default());
        }
        sums
    }

    fn write_aggregate(&self, document: &AggregateDocument, retiring: &[Retiring]) -> Op {
        let json = serde_json::to_vec(document).unwrap_or_default();
        let key = self.keys.aggregate.as_str();
        let mut unchanged = vec![(key, self.aggregate.revision)];
        let mut writes = vec![Op::put(key, &json)];
        for proxy in retiring {
            unchanged.push((&proxy.key, proxy.revision));
            writes.push(match &proxy.document {
                Some(document) => Op::put(
                    &proxy.key,
                    &serde_json::to_vec(document).unwrap_or_default(),
                ),
                None => Op::delete(&proxy.key),
            });
        }
        Op::RequestTxn(Txn::where_unchanged(
            &unchanged,
            writes,
            vec![Op::read(key, 0)],
        ))
    }

    /// Verdicts whose configuration has been replaced everywhere.
    fn ended(
        &mut self,
        policy: &Policy,
        worker: &Worker,
        now_ms: u64,
        interval_ms: u64,
    ) -> Vec<(VerdictKey, u64)> {
        let proxies = &self.proxies;
        let mut ended = self
            .verdicts
            .ended(now_ms, interval_ms.saturating_mul(3), |key| {
                let index = policy.named(&key.rollout);
                let own = index.and_then(|index| worker.identities().get(index));
                let own = own.map(|identity| match key.kind {
                    VerdictKind::Rollback => identity.digest,
                    VerdictKind::Promotion => identity.gate,
                    VerdictKind::Ramp => identity.ramp,
                });
                match own {
                    Some(digest) if digest == key.digest.0 => Use::InForce,
                    own => match proxies.usage(key, now_ms, interval_ms) {
                        Use::Unknown if own.is_some() => Use::Replaced,
                        usage => usage,
                    },
                }
            });
        ended.truncate(Self::MAX_VERDICTS);
        ended
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

    /// The call that is under way has been answered with this status.
    ///
    /// # Errors
    /// Where the host refuses a call.
    pub fn receive<S: SharedStore>(
        &mut self,
        (status, body): (u64, &[u8]),
        peers: &mut Peers<S>,
        now: Now,
        random: u64,
    ) -> Result<(), HostStatus> {
        let now_ms = now.steady_ms;
        let Some(call) = self.call.take() else {
            return Ok(());
        };
        if status != 200 {
            let why = failure(status, body);
            self.fail(&why, peers, now_ms, random);
            return Ok(());
        }
        let Some(asked) = call.asked else {
            if self.credentials.take(body) {
                self.due_ms = now_ms;
                self.last_call_ms = None;
            } else {
                self.fail("etcd gives no token", peers, now_ms, random);
            }
            return Ok(());
        };
        let response: Option<TxnResponse<'_>> = serde_json::from_slice(body).ok();
        let response = response.filter(|it| it.revision() > 0 && it.responses.len() == asked.len());
        let Some(response) = response else {
            self.fail("what answers is no etcd", peers, now_ms, random);
            return Ok(());
        };
        self.credentials.worked();
        self.take(response, asked, peers, now);
        self.succeed(peers, now_ms, random);
        let (own, beats) = (&self.own, call.beats);
        edit(
            &peers.store,
            &peers.keys.fleet,
            |shared: &mut FleetShared| {
                own.share(shared);
                shared.stored.clone_from(&beats);
                true
            },
        )?;
        Ok(())
    }

    fn take<S: SharedStore>(
        &mut self,
        response: TxnResponse<'_>,
        asked: Vec<Asked>,
        peers: &mut Peers<S>,
        now: Now,
    ) {
        let revision = response.revision();
        let is_emptied = revision < std::mem::replace(&mut self.last_revision, revision);
        if is_emptied {
            self.verdicts.range.read_again();
            self.proxies.read_again();
        }
        let mut skipped = Vec::new();
        for (asked, response) in asked.into_iter().zip(response.responses) {
            self.take_one(
                asked,
                response,
                (revision, is_emptied),
                peers,
                now,
                &mut skipped,
            );
        }
        self.errors = self
            .errors
            .saturating_add(u64::try_from(skipped.len()).unwrap_or(0));
        if let Some(first) = skipped.first()
            && !std::mem::replace(&mut self.has_skipped, true)
        {
            self.events
                .push(FleetEvent::Skipped(Found::name(first).to_string()));
        }
    }

    fn take_one<S: SharedStore>(
        &mut self,
        asked: Asked,
        response: OpResponse<'_>,
        (revision, is_emptied): (u64, bool),
        peers: &mut Peers<S>,
        now: Now,
        skipped: &mut Vec<String>,
    ) {
        let now_ms = now.steady_ms;
        match asked {
            Asked::Own => match response.into_conflict() {
                None => self.own.revision = revision,
                Some(conflict) => {
                    self.own.meet(&conflict, is_emptied);
                    self.is_urgent = true;
                }
            },
            Asked::WriteAggregate(document, retires) => match response.into_conflict() {
                None => {
                    self.aggregate.written(*document, revision, now_ms);
                    if retires {
                        self.proxies.read_again();
                    }
                }
                Some(range) => {
                    if !self.aggregate.read(&range, now_ms) {
                        skipped.push(self.keys.aggregate.clone());
                    }
                }
            },
            Asked::ReadAggregate => {
                if !self.aggregate.read(&response.into_range(), now_ms) {
                    skipped.push(self.keys.aggregate.clone());
                }
            }
            Asked::Verdicts(was_all) => {
                let aggregate = &self.aggregate;
                let elapsed_ms = |key: &VerdictKey, step| aggregate.ramp_elapsed_ms(key, step);
                let range = response.into_range();
                let read = (was_all, revision);
                skipped.extend(self.verdicts.read(
                    &self.keys,
                    &range,
                    read,
                    now.wall_ms,
                    elapsed_ms,
                ));
            }
            Asked::Proxies(was_all) => {
                let keys = (&self.keys, self.own.incarnation);
                let range = response.into_range();
                let read = (was_all, revision);
                skipped.extend(
                    self.proxies
                        .read(keys, &range, read, now_ms, &mut peers.fleet),
                );
            }
            Asked::Publish(key, verdict) => match response.into_conflict() {
                None => self.verdicts.written(key, verdict, revision),
                Some(range) => {
                    let aggregate = &self.aggregate;
                    let elapsed_ms = |key: &VerdictKey, step| aggregate.ramp_elapsed_ms(key, step);
                    if let Some(kv) = range.kvs.first() {
                        self.verdicts.take(&key, kv, now.wall_ms, elapsed_ms);
                    }
                }
            },
            Asked::End(key) => self.verdicts.deleted(&key),
        }
    }

    fn succeed<S: SharedStore>(&mut self, peers: &mut Peers<S>, now_ms: u64, random: u64) {
        let interval_ms = self.interval_ms();
        self.failures = 0;
        self.schedule(now_ms, random);
        // The first answer tells what there is; from now on this proxy may take part.
        self.is_urgent |= !std::mem::replace(&mut self.is_answered, true);
        let view = &mut peers.fleet;
        let is_elected = self.aggregate.elects(self.own.incarnation);
        view.take_role(if is_elected {
            FleetRole::Elected
        } else {
            FleetRole::Member
        });
        let retired = self.retired();
        view.others.clear();
        view.shown.clear();
        if is_elected {
            let live = self.proxies.live(now_ms, interval_ms);
            self.proxy_count = u64::try_from(live).unwrap_or(0).saturating_add(1);
            let shared = self
                .proxies
                .shared_names(&self.own.name, now_ms, interval_ms);
            self.events
                .extend(shared.into_iter().map(FleetEvent::SharedName));
            view.others = retired;
            for (name, counts) in self.proxies.counts() {
                counts.add_to_list(view.others.entry(name.clone()).or_default());
            }
        } else {
            let aggregate = &self.aggregate.document;
            self.proxy_count = aggregate.proxies.max(1);
            for (name, rollout) in &aggregate.rollouts {
                let own = self.own.told(name);
                let others = rollout.counts.iter().map(|counts| {
                    let counts = FleetCounts::from(counts);
                    match own.filter(|own| own.is_about(&counts)) {
                        Some(own) => counts.since(own),
                        None => counts,
                    }
                });
                view.others.insert(name.clone(), others.collect());
                view.shown.insert(name.clone(), rollout.shown());
            }
        }
        view.facts = self.verdicts.facts();
        view.has_changed = true;
        if self.is_connected.replace(true) != Some(true) {
            self.events.push(FleetEvent::Connected(self.proxy_count));
        }
    }

    fn fail<S: SharedStore>(&mut self, why: &str, peers: &mut Peers<S>, now_ms: u64, random: u64) {
        self.call = None;
        self.errors = self.errors.saturating_add(1);
        self.failures = self.failures.saturating_add(1);
        self.schedule(now_ms, random);
        if self.settings.as_ref().is_some_and(|it| it.auth.is_some()) {
            self.credentials.doubt(now_ms, random);
        }
        if self.failures >= Self::FAILURES {
            peers.fleet.take_role(FleetRole::Alone);
        }
        if self.is_connected.replace(false) != Some(false) {
            self.events.push(FleetEvent::Disconnected(why.to_owned()));
        }
    }

    /// The next exchange is an interval away, less up to a tenth of it.
    fn schedule(&mut self, now_ms: u64, random: u64) {
        let interval_ms = self.interval_ms();
        let jitter_ms = random.checked_rem((interval_ms / 10).max(1)).unwrap_or(0);
        let since_ms = self.last_call_ms.unwrap_or(now_ms);
        self.due_ms = since_ms
            .saturating_add(interval_ms)
            .saturating_sub(jitter_ms);
    }

    fn interval_ms(&self) -> u64 {
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

/// Why a call has failed. etcd's own words hold no secret.
fn failure(status: u64, body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Failure {
        error: String,
    }
    let failure: Option<Failure> = serde_json::from_slice(body).ok();
    match failure {
        Some(Failure { error }) => format!("status {status}, {}", Found::plain(&error)),
        None => format!("status {status}"),
    }
}
