//! What etcd's response to a transaction means.

use crate::fleet::call::PendingOp;
use crate::fleet::etcd_response::{OpResponse, TxnResponse};
use crate::fleet::exchange::Exchange;
use crate::fleet::keys::VerdictKey;
use crate::fleet::retired;
use crate::fleet::shared::FleetShared;
use crate::json::found::Found;
use crate::policy::figures::Now;
use crate::policy::fleet_view::FleetRole;
use crate::policy::peers::Peers;
use crate::policy::shared_store::{HostStatus, SharedStore, edit};

/// From Envoy where nothing answers, and from etcd without a leader. Another token mends neither.
const UNREACHABLE: u64 = 503;
const TIMED_OUT: u64 = 504;

// === impl Exchange ===

impl Exchange {
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
        let Some(call) = self.calls.end() else {
            return Ok(());
        };
        if status != 200 {
            let why = failure(status, body);
            self.fail(&why, peers, now_ms, random);
            if !matches!(status, UNREACHABLE | TIMED_OUT) {
                self.calls.credentials.invalidate_token(now_ms, random);
            }
            return Ok(());
        }
        let Some(pending) = call.pending else {
            if self.calls.credentials.take(body) {
                self.calls.schedule_at_once(now_ms);
            } else {
                self.fail("etcd gives no token", peers, now_ms, random);
                self.calls.credentials.invalidate_token(now_ms, random);
            }
            return Ok(());
        };
        let response: Option<TxnResponse<'_>> = serde_json::from_slice(body).ok();
        let response =
            response.filter(|it| it.revision() > 0 && it.responses.len() == pending.len());
        let Some(response) = response else {
            self.fail("what answers is no etcd", peers, now_ms, random);
            return Ok(());
        };
        self.calls.credentials.succeeded();
        let is_stored = self.take(response, pending, peers, now);
        self.succeed(peers, now_ms, random);
        let (own, heartbeats) = (&self.local, call.heartbeats);
        edit(
            &peers.store,
            &peers.keys.fleet,
            |shared: &mut FleetShared| {
                own.share(shared);
                if is_stored {
                    shared.stored.clone_from(&heartbeats);
                }
                true
            },
        )?;
        Ok(())
    }

    /// Says whether what this proxy has counted is stored.
    fn take<S: SharedStore>(
        &mut self,
        response: TxnResponse<'_>,
        pending: Vec<PendingOp>,
        peers: &mut Peers<S>,
        now: Now,
    ) -> bool {
        let revision = response.revision();
        let is_emptied = revision < std::mem::replace(&mut self.last_revision, revision);
        if is_emptied {
            self.aggregate.revision = 0;
        }
        let mut skipped = Vec::new();
        let mut is_stored = true;
        let aggregate_before = self.aggregate.revision;
        for (pending, response) in pending.into_iter().zip(response.responses) {
            let at = (revision, is_emptied);
            is_stored &= self.take_one(pending, response, at, peers, now, &mut skipped);
        }
        if self.aggregate.revision != aggregate_before {
            self.local.note_aggregate();
        }
        self.connection.skipped(&skipped);
        is_stored
    }

    /// False where what this proxy has counted is not stored.
    fn take_one<S: SharedStore>(
        &mut self,
        pending: PendingOp,
        response: OpResponse<'_>,
        (revision, is_emptied): (u64, bool),
        peers: &mut Peers<S>,
        now: Now,
        skipped: &mut Vec<String>,
    ) -> bool {
        let now_ms = now.steady_ms;
        match pending {
            PendingOp::WriteLocal => match response.into_conflict() {
                None => self.local.revision = revision,
                Some(conflict) => {
                    self.local.resolve_conflict(&conflict, is_emptied);
                    self.calls.is_urgent = true;
                    return false;
                }
            },
            PendingOp::WriteAggregate(document, retires) => match response.into_conflict() {
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
            PendingOp::ReadAggregate => {
                if !self.aggregate.read(&response.into_range(), now_ms) {
                    skipped.push(self.keys.aggregate.clone());
                }
            }
            PendingOp::Verdicts(was_all) => {
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
            PendingOp::Proxies(was_all) => {
                let keys = (&self.keys, self.local.incarnation);
                let range = response.into_range();
                let read = (was_all, revision);
                skipped.extend(
                    self.proxies
                        .read(keys, &range, read, now_ms, &mut peers.fleet),
                );
            }
            PendingOp::Publish(key, verdict) => match response.into_conflict() {
                None => self.verdicts.written(key, verdict, revision),
                Some(range) => {
                    let aggregate = &self.aggregate;
                    let elapsed_ms = |key: &VerdictKey, step| aggregate.ramp_elapsed_ms(key, step);
                    if let Some(kv) = range.kvs.first() {
                        self.verdicts.take(&key, kv, now.wall_ms, elapsed_ms);
                    }
                }
            },
            PendingOp::End(key) => self.verdicts.deleted(&key),
        }
        true
    }

    fn succeed<S: SharedStore>(&mut self, peers: &mut Peers<S>, now_ms: u64, random: u64) {
        let interval_ms = self.calls.interval_ms();
        self.calls.schedule(now_ms, random);
        // The first response shows what there is; from now on this proxy may take part.
        self.calls.is_urgent |= !std::mem::replace(&mut self.is_answered, true);
        let view = &mut peers.fleet;
        let is_elected = self.aggregate.elects(self.local.incarnation);
        view.take_role(match (is_elected, self.proxies.range.is_known) {
            (true, true) => FleetRole::Elected,
            // Another VM of this proxy was elected. This one has to read the documents of the others first.
            (true, false) => FleetRole::Unknown,
            (false, _) => FleetRole::Member,
        });
        let mut before = std::mem::take(&mut view.others);
        view.shown.clear();
        if is_elected {
            let live = self.proxies.live(now_ms, interval_ms);
            self.proxy_count = u64::try_from(live).unwrap_or(0).saturating_add(1);
            let shared = self
                .proxies
                .shared_names(&self.local.name, now_ms, interval_ms);
            self.connection.share_names(shared);
            let retired = retired::read(&self.aggregate.document.retired);
            for (name, list) in retired {
                let list = list.into_iter();
                let others = list.map(|counts| self.local.without_base(&name, counts));
                view.others.insert(name.clone(), others.collect());
            }
            for (name, counts) in self.proxies.counts() {
                counts.add_to_list(view.others.entry(name.clone()).or_default());
            }
        } else {
            let aggregate = &self.aggregate.document;
            self.proxy_count = aggregate.proxies.max(1);
            for (name, rollout) in &aggregate.rollouts {
                let others = self.local.others(name, &rollout.counts);
                let others = others.or_else(|| before.remove(name));
                view.others.insert(name.clone(), others.unwrap_or_default());
                view.shown.insert(name.clone(), rollout.shown());
            }
        }
        view.facts = self.verdicts.facts();
        view.note_change();
        self.connection.succeeded(self.proxy_count);
    }
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
