//! What this proxy tells the others.

use crate::fleet::etcd_response::RangeResponse;
use crate::fleet::hex::Hex;
use crate::fleet::proxy_document::{ProxyDocument, ProxyRollout};
use crate::fleet::shared::FleetShared;
use crate::fleet::wire_counts::WireCounts;
use crate::policy::fleet_counts::FleetCounts;
use crate::policy::policy::Policy;
use crate::policy::recent::{News, Recent};
use crate::policy::rollout_identity::RolloutIdentity;
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// What this proxy tells the others.
#[derive(Debug, Default)]
pub struct Own {
    /// The process.
    pub incarnation: Hex,
    /// Envoy's `node.id`.
    pub name: String,
    /// When its key was changed last; 0 where it is not there.
    pub revision: u64,
    /// What is among the counts of retired proxies, by the names of rollouts: it is told no more.
    base: HashMap<String, FleetCounts, Xxh64Builder>,
    /// What was told last, by the names of rollouts.
    told: HashMap<String, FleetCounts, Xxh64Builder>,
    recent: HashMap<String, Recent, Xxh64Builder>,
    /// Rollouts whose counts have begun anew, as after a rollback that has ended, and how many more aggregates may
    /// contain what was counted before.
    begun_anew: HashMap<String, u32, Xxh64Builder>,
}

// === impl Own ===

impl Own {
    const MAX_BYTES: usize = 1_000_000;
    /// The elected proxy reads what this one tells while it writes the next aggregate, and sums it up in the one after
    /// that. The call that tells may have to be made again.
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
        news: Vec<(String, News)>,
        interval_ms: u64,
    ) {
        let seconds = interval_ms / 500;
        let seconds = usize::try_from(seconds).unwrap_or(0).saturating_add(10);
        for (name, news) in news {
            let index = policy.named(&name);
            let known = index.and_then(|it| policy.rollouts.get(it).zip(identities.get(it)));
            if let Some((rollout, identity)) = known {
                let recent = self.recent.entry(name).or_default();
                recent.begin(identity.generation);
                recent.absorb(&news, rollout.stable.other(), seconds);
            }
        }
        self.recent.retain(|name, _| policy.named(name).is_some());
    }

    /// What to tell now, in the second `second`. `counts` are those of each rollout.
    pub fn tell(
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
        let before = std::mem::take(&mut self.told);
        for ((rollout, identity), counts) in policy.rollouts.iter().zip(identities).zip(counts) {
            let name = rollout.name.as_str();
            let base = self.base.get(name);
            let new = base.map_or_else(|| counts.clone(), |base| counts.since(base));
            let is_judged = rollout.guard.is_some() || rollout.quality.is_some();
            if !is_judged && rollout.ramp.is_none() && new.is_empty() {
                continue;
            }
            let told = ProxyRollout {
                digest: Hex(identity.digest),
                gate: Hex(identity.gate),
                ramp: Hex(identity.ramp),
                counts: WireCounts::from(&new),
                recent: self.recent.get(name).cloned(),
            };
            document.rollouts.insert(name.to_owned(), told);
            if before.get(name).is_some_and(|it| has_fallen(it, &new)) {
                self.begun_anew
                    .insert(name.to_owned(), Self::AGGREGATES_BEHIND);
            }
            self.told.insert(name.to_owned(), new);
        }
        // Who reads does so once an interval; there may be five times as many exchanges in a second.
        let turns = interval_ms.saturating_mul(3) / 200;
        for recent in self.recent.values_mut() {
            recent.end_turn_of(turns.saturating_add(15));
        }
        // The keys of its maps are strings.
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// What all others have counted of a rollout, where the aggregate tells what all have; nothing while it may contain
    /// what this proxy has told before its counts began anew.
    pub fn others(&self, name: &str, sums: &[WireCounts]) -> Option<Vec<FleetCounts>> {
        let told = self.told.get(name);
        let others = |sum: &WireCounts| {
            let sum = FleetCounts::from(sum);
            let others = match told.filter(|told| told.is_about(&sum)) {
                Some(told) => sum.since(told),
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
    pub fn see_aggregate(&mut self) {
        self.begun_anew.retain(|_, left| {
            *left = left.saturating_sub(1);
            *left > 0
        });
    }

    /// What was told last, by the names of rollouts.
    pub fn all_told(&self) -> impl Iterator<Item = (&String, FleetCounts)> {
        self.told
            .iter()
            .map(|(name, counts)| (name, counts.clone()))
    }

    /// The key was not as expected. What it holds is counted with the retired proxies, where this process was held to
    /// be one. `is_emptied` says that the store has lost what it had.
    pub fn meet(&mut self, conflict: &RangeResponse<'_>, is_emptied: bool) {
        let Some(kv) = conflict.kvs.first() else {
            if self.revision > 0 && !is_emptied {
                // The key of a retired proxy was deleted in the end: what was told last may be in it.
                let told = std::mem::take(&mut self.told);
                told.into_iter()
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
