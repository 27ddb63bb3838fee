//! The transaction of one exchange: this proxy's counts in, what the fleet knows out.

use crate::analysis::ramp_progress::RampProgress;
use crate::fleet::aggregate_document::AggregateDocument;
use crate::fleet::call::PendingOp;
use crate::fleet::etcd::{Op, Txn};
use crate::fleet::exchange::Exchange;
use crate::fleet::keys::{VerdictKey, VerdictKind};
use crate::fleet::proxies::{Proxies, Retiring};
use crate::fleet::verdict_document;
use crate::fleet::verdicts::Usage;
use crate::policy::figures::Now;
use crate::policy::fleet_settings::FleetSettings;
use crate::policy::fleet_view::{FleetRole, FleetVerdict};
use crate::policy::peers::Peers;
use crate::policy::policy::Policy;
use crate::policy::shared_store::SharedStore;
use crate::policy::worker::Worker;

/// etcd takes 128 operations in a transaction.
const MAX_VERDICTS: usize = 32;

// === impl Exchange ===

impl Exchange {
    /// What this proxy knows of rollouts and the fleet does not.
    pub(super) fn unpublished(
        &self,
        policy: &Policy,
        worker: &Worker,
        role: FleetRole,
    ) -> Vec<(VerdictKey, FleetVerdict)> {
        let mut unpublished = Vec::new();
        if !self.is_answered || self.connection.has_failed() {
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
            if let (Some(RampProgress::AtStep(at)), None) = (status.ramp, status.tripped) {
                let key = VerdictKey::new(name, identity.ramp, VerdictKind::Ramp);
                let is_new = match self.verdicts.get(&key) {
                    Some(FleetVerdict::Ramp(known)) => {
                        let differs = at.requests_before != known.requests_before;
                        let is_ours = role == FleetRole::Elected && !at.is_behind(*known);
                        known.is_behind(at) || (is_ours && differs)
                    }
                    _ => at.has_begun(),
                };
                if is_new {
                    unpublished.push((key, FleetVerdict::Ramp(at)));
                }
            }
        }
        unpublished.truncate(MAX_VERDICTS);
        unpublished
    }

    /// One transaction: this proxy's counts in, what the fleet knows out.
    pub(super) fn transaction<S: SharedStore>(
        &mut self,
        policy: &Policy,
        settings: &FleetSettings,
        worker: &Worker,
        peers: &Peers<S>,
        now: Now,
        unpublished: Vec<(VerdictKey, FleetVerdict)>,
    ) -> (Txn, Vec<PendingOp>) {
        let (interval_ms, now_ms) = (settings.interval_ms, now.steady_ms);
        let counts = worker.own_counts(policy, &peers.counts);
        let identities = worker.identities();
        let document =
            self.local
                .publish(policy, identities, counts, (interval_ms, now_ms / 1_000));
        let key = self
            .keys
            .proxy(self.local.name.as_bytes(), self.local.incarnation);
        let mut ops = vec![Op::put_where_unchanged(
            &key,
            self.local.revision,
            &document,
        )];
        let mut pending = vec![PendingOp::WriteLocal];
        let writes = self.is_answered
            && self
                .aggregate
                .is_open_to(self.local.incarnation, now_ms, interval_ms);
        if writes {
            let (document, retiring) = self.sum_up(policy, settings, worker, now);
            ops.push(self.write_aggregate(&document, &retiring));
            pending.push(PendingOp::WriteAggregate(
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
            pending.push(PendingOp::ReadAggregate);
        }
        for (key, verdict) in unpublished {
            ops.push(self.write_verdict(policy, worker, &key, &verdict, now));
            pending.push(PendingOp::Publish(key, verdict));
        }
        if self.knows_all() {
            for (key, revision) in self.ended(policy, worker, now_ms, interval_ms) {
                let name = self.keys.verdict(&key);
                let delete = vec![Op::delete(&name)];
                ops.push(Op::Within(Txn::where_unchanged(
                    &[(&name, revision)],
                    delete,
                    Vec::new(),
                )));
                pending.push(PendingOp::End(key));
            }
        }
        let next = self.verdicts.range.next_revision();
        ops.push(Op::read_below(&self.keys.verdicts, next));
        pending.push(PendingOp::Verdicts(next == 0));
        if writes {
            let next = self.proxies.range.next_revision();
            ops.push(Op::read_below(&self.keys.proxies, next));
            pending.push(PendingOp::Proxies(next == 0));
        } else {
            self.proxies = Proxies::default();
        }
        (Txn::always(ops), pending)
    }

    /// A repaired rollout begins its ramp anew, so how far it had come ends with a rollback.
    fn write_verdict(
        &self,
        policy: &Policy,
        worker: &Worker,
        key: &VerdictKey,
        verdict: &FleetVerdict,
        now: Now,
    ) -> Op {
        let name = self.keys.verdict(key);
        let json = verdict_document::to_json(verdict, &self.local.name, now.wall_ms);
        let mut writes = vec![Op::put(&name, &json)];
        let index = policy.named(&key.rollout);
        let identity = index.and_then(|index| worker.identities().get(index));
        if let (FleetVerdict::RolledBack(..), Some(identity)) = (verdict, identity) {
            let ramp = VerdictKey::new(&key.rollout, identity.ramp, VerdictKind::Ramp);
            writes.push(Op::delete(&self.keys.verdict(&ramp)));
        }
        let unchanged = [(&*name, self.verdicts.revision(key))];
        let read = vec![Op::read(&name, 0)];
        Op::Within(Txn::where_unchanged(&unchanged, writes, read))
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
        Op::Within(Txn::where_unchanged(
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
                    Some(digest) if digest == key.digest.0 => Usage::InForce,
                    own => match proxies.usage(key, now_ms, interval_ms) {
                        Usage::Unknown if own.is_some() => Usage::Replaced,
                        usage => usage,
                    },
                }
            });
        ended.truncate(MAX_VERDICTS);
        ended
    }
}
