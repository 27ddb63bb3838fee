//! What this proxy publishes.

use crate::fleet::etcd_response::RangeResponse;
use crate::fleet::hex::Hex;
use crate::fleet::proxy_document::{ProxyDocument, ProxyRollout};
use crate::fleet::shared::FleetShared;
use crate::fleet::wire_counts::WireCounts;
use crate::policy::fleet_counts::FleetCounts;
use crate::policy::policy::Policy;
use crate::policy::recent::{Recent, RecentDelta};
use crate::policy::rollout_identity::RolloutIdentity;
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// What this proxy publishes, and has published.
#[derive(Debug, Default)]
pub struct LocalProxy {
    /// The process.
    pub incarnation: Hex,
    /// Envoy's `node.id`.
    pub name: String,
    /// When its key was changed last; 0 where it is not there.
    pub revision: u64,
    /// What is among the counts of retired proxies, by the names of rollouts: not published again.
    base: HashMap<String, FleetCounts, Xxh64Builder>,
    /// What was published last, by the names of rollouts.
    published: HashMap<String, FleetCounts, Xxh64Builder>,
    recent: HashMap<String, Recent, Xxh64Builder>,
    /// Rollouts whose counts have begun anew, as after a rollback that has ended, and how many more aggregates may
    /// contain what was counted before.
    begun_anew: HashMap<String, u32, Xxh64Builder>,
}

// === impl LocalProxy ===

impl LocalProxy {
    const MAX_BYTES: usize = 1_000_000;
    /// The elected proxy reads the document of this one while it writes the next aggregate, and sums it up in the one
    /// after that. The call that publishes may have to be made again.
    const AGGREGATES_BEHIND: u32 = 4;

    /// Takes over what another VM of this proxy has begun.
    pub fn of(shared: &FleetShared, name: String) -> Self {
        let base = shared.base.iter();
        Self {
            incarnation: shared.incarnation,
            name,
            base: base.map(|(name, it)| (name.clone(), it.into())).collect(),
            ..Self::default()
        }
    }

    /// Adds what went on at this proxy.
    pub fn absorb(
        &mut self,
        policy: &Policy,
        identities: &[RolloutIdentity],
        recent: Vec<(String, RecentDelta)>,
        interval_ms: u64,
    ) {
        let seconds = interval_ms / 500;
        let seconds = usize::try_from(seconds).unwrap_or(0).saturating_add(10);
        for (name, delta) in recent {
            let index = policy.named(&name);
            let known = index.and_then(|it| policy.rollouts.get(it).zip(identities.get(it)));
            if let Some((rollout, identity)) = known {
                let recent = self.recent.entry(name).or_default();
                recent.begin(identity.generation);
                recent.absorb(&delta, rollout.stable.other(), seconds);
            }
        }
        self.recent.retain(|name, _| policy.named(name).is_some());
    }

    /// The document to publish now, in the second `second`. `counts` are those of each rollout.
    pub fn publish(
        &mut self,
        policy: &Policy,
        identities: &[RolloutIdentity],
        counts: Vec<FleetCounts>,
        (interval_ms, second): (u64, u64),
    ) -> Vec<u8> {
        let mut document = ProxyDocument {
            v: ProxyDocument::VERSION,
            name: self.name.clone(),
            interval_ms,
            second,
            ..ProxyDocument::default()
        };
        let before = std::mem::take(&mut self.published);
        for ((rollout, identity), counts) in policy.rollouts.iter().zip(identities).zip(counts) {
            let name = rollout.name.as_str();
            let base = self.base.get(name);
            let new = base.map_or_else(|| counts.clone(), |base| counts.since(base));
            let is_judged = rollout.guard.is_some() || rollout.quality.is_some();
            if !is_judged && rollout.ramp.is_none() && new.is_empty() {
                continue;
            }
            let rollout = ProxyRollout {
                digest: Hex(identity.digest),
                gate: Hex(identity.gate),
                ramp: Hex(identity.ramp),
                counts: WireCounts::from(&new),
                recent: self.recent.get(name).cloned(),
            };
            document.rollouts.insert(name.to_owned(), rollout);
            if before.get(name).is_some_and(|it| has_fallen(it, &new)) {
                self.begun_anew
                    .insert(name.to_owned(), Self::AGGREGATES_BEHIND);
            }
            self.published.insert(name.to_owned(), new);
        }
        // Who reads does so once an interval; there may be five times as many exchanges in a second.
        let turns = interval_ms.saturating_mul(3) / 200;
        for recent in self.recent.values_mut() {
            recent.end_turn_of(turns.saturating_add(15));
        }
        // The keys of its maps are strings.
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// What all others have counted of a rollout, given the aggregate of all; nothing while it may contain
    /// what this proxy has published before its counts began anew.
    pub fn others(&self, name: &str, sums: &[WireCounts]) -> Option<Vec<FleetCounts>> {
        let published = self.published.get(name);
        let others = |sum: &WireCounts| {
            let sum = FleetCounts::from(sum);
            let others = match published.filter(|published| published.is_about(&sum)) {
                Some(published) => sum.since(published),
                None => sum,
            };
            self.without_base(name, others)
        };
        let is_known = !self.begun_anew.contains_key(name);
        is_known.then(|| sums.iter().map(others).collect())
    }

    /// Takes out what this proxy itself had counted before it was held to be one that is no more.
    pub fn without_base(&self, name: &str, counts: FleetCounts) -> FleetCounts {
        let base = self.base.get(name);
        match base.filter(|base| base.is_about(&counts)) {
            Some(base) => counts.since(base),
            None => counts,
        }
    }

    /// An aggregate was read that is another than before.
    pub fn note_aggregate(&mut self) {
        self.begun_anew.retain(|_, left| {
            *left = left.saturating_sub(1);
            *left > 0
        });
    }

    /// What was published last, by the names of rollouts.
    pub fn all_published(&self) -> impl Iterator<Item = (&String, FleetCounts)> {
        self.published
            .iter()
            .map(|(name, counts)| (name, counts.clone()))
    }

    /// The key was not as expected. What it holds is counted with the retired proxies, where this process was held to
    /// be one. `is_emptied` says that the store has lost what it had.
    pub fn resolve_conflict(&mut self, conflict: &RangeResponse<'_>, is_emptied: bool) {
        let Some(kv) = conflict.kvs.first() else {
            if self.revision > 0 && !is_emptied {
                // The key of a retired proxy was deleted in the end: what was published last may be in it.
                let published = std::mem::take(&mut self.published);
                published
                    .into_iter()
                    .for_each(|(name, it)| self.add_base(name, &it));
            }
            self.revision = 0;
            return;
        };
        self.revision = kv.mod_revision;
        let value = kv.value(Self::MAX_BYTES);
        let document = value.and_then(|value| ProxyDocument::read(&value));
        if let Some(retired) = document.filter(|it| it.retired) {
            for (name, rollout) in retired.rollouts {
                self.add_base(name, &FleetCounts::from(&rollout.counts));
            }
        }
    }

    fn add_base(&mut self, name: String, counts: &FleetCounts) {
        let mut sum = counts.clone();
        if let Some(base) = self.base.get(&name) {
            sum.add(base);
        }
        self.base.insert(name, sum);
    }

    /// What the other VMs of this proxy have to know of it.
    pub fn share(&self, shared: &mut FleetShared) {
        shared.incarnation = self.incarnation;
        let base = self.base.iter();
        shared.base = base.map(|(name, it)| (name.clone(), it.into())).collect();
    }
}

/// Whether counts of the same are lower than before.
fn has_fallen(before: &FleetCounts, now: &FleetCounts) -> bool {
    before.is_about(now) && !before.since(now).is_empty()
}
