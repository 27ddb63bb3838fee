//! The documents of the other proxies, where this one is elected.

use crate::fleet::etcd_response::RangeResponse;
use crate::fleet::followed_range::FollowedRange;
use crate::fleet::hex::Hex;
use crate::fleet::keys::{FleetKeys, VerdictKey};
use crate::fleet::proxy_document::ProxyDocument;
use crate::fleet::remote_proxy::RemoteProxy;
use crate::fleet::verdicts::Usage;
use crate::policy::fleet_counts::FleetCounts;
use crate::policy::fleet_view::FleetView;
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// The other proxies.
#[derive(Debug, Default)]
pub struct Proxies {
    /// How far their keys have been read.
    pub range: FollowedRange,
    known: HashMap<Hex, RemoteProxy, Xxh64Builder>,
    /// Names that two live processes share, which was reported.
    reported: Vec<String>,
}

/// A process that is no more.
#[derive(Clone, Debug)]
pub struct Retiring {
    /// Its key.
    pub key: String,
    /// When it was changed last.
    pub revision: u64,
    /// Its last document, marked as retired; nothing where the key is to be deleted.
    pub document: Option<ProxyDocument>,
}

// === impl Proxies ===

impl Proxies {
    const MAX_RETIRING: usize = 16;

    /// Takes what was read of their keys; `own` is this process. Gives the keys that can't be read.
    pub fn read(
        &mut self,
        (keys, own): (&FleetKeys, Hex),
        range: &RangeResponse<'_>,
        (was_all, revision): (bool, u64),
        now_ms: u64,
        view: &mut FleetView,
    ) -> Vec<String> {
        let mut before = HashMap::default();
        if was_all {
            before = std::mem::take(&mut self.known);
        }
        self.range.take(range, was_all, revision);
        let mut skipped = Vec::new();
        for kv in &range.kvs {
            let key = kv.key().unwrap_or_default();
            let incarnation = keys.read_proxy(&key).map(|(_, incarnation)| incarnation);
            if incarnation == Some(own) {
                continue;
            }
            let Some(incarnation) = incarnation else {
                skipped.push(key);
                continue;
            };
            let known = self.known.remove(&incarnation);
            let known = known.or_else(|| before.remove(&incarnation));
            match RemoteProxy::read(&key, kv, known, now_ms, view) {
                Some(proxy) => drop(self.known.insert(incarnation, proxy)),
                None => skipped.push(key),
            }
        }
        skipped
    }

    /// How many processes have published within three intervals.
    pub fn live(&self, now_ms: u64, interval_ms: u64) -> usize {
        let proxies = self.known.values();
        proxies.filter(|it| it.is_live(now_ms, interval_ms)).count()
    }

    /// What all have counted that are not among the retired ones, by the names of rollouts.
    pub fn counts(&self) -> impl Iterator<Item = (&String, FleetCounts)> {
        let proxies = self.known.values().filter(|it| !it.document.retired);
        let rollouts = proxies.flat_map(|it| &it.document.rollouts);
        rollouts.map(|(name, rollout)| (name, FleetCounts::from(&rollout.counts)))
    }

    /// Processes that are no more, and old keys of such.
    pub fn retiring(&self, now_ms: u64, interval_ms: u64) -> Vec<Retiring> {
        let proxies = self.known.values();
        let gone = proxies.filter(|it| it.is_gone(now_ms, interval_ms));
        let retiring = gone.map(|it| Retiring {
            key: it.key.clone(),
            revision: it.revision,
            document: it.retired(),
        });
        retiring.take(Self::MAX_RETIRING).collect()
    }

    /// All keys are read at the next time: some were written or deleted.
    pub fn read_again(&mut self) {
        self.range.read_again();
    }

    /// Whether live proxies have the configuration that a verdict holds for.
    pub fn usage(&self, key: &VerdictKey, now_ms: u64, interval_ms: u64) -> Usage {
        let live = self.known.values();
        let live = live.filter(|it| it.is_live(now_ms, interval_ms));
        let mut known = Usage::Unknown;
        for rollout in live.filter_map(|it| it.document.rollouts.get(&key.rollout)) {
            if rollout.digest_of(key.kind) == key.digest {
                return Usage::InForce;
            }
            known = Usage::Replaced;
        }
        known
    }

    /// Adds what live proxies count for in a rollout.
    pub fn add_counted_for(
        &self,
        name: &str,
        (now_ms, interval_ms): (u64, u64),
        all: &mut Vec<FleetCounts>,
    ) {
        let live = self.known.values();
        let live = live.filter(|it| it.is_live(now_ms, interval_ms));
        for rollout in live.filter_map(|it| it.document.rollouts.get(name)) {
            FleetCounts::from(&rollout.counts)
                .emptied()
                .add_to_list(all);
        }
    }

    /// Names that live processes share with each other or with this one, each once.
    pub fn shared_names(&mut self, own: &str, now_ms: u64, interval_ms: u64) -> Vec<String> {
        let mut seen = vec![own.to_owned()];
        let mut shared = Vec::new();
        for proxy in self.known.values() {
            // One that was restarted stops publishing soon.
            if !proxy.is_live(now_ms, interval_ms) || proxy.times < 5 {
                continue;
            }
            let name = &proxy.document.name;
            if !seen.contains(name) {
                seen.push(name.clone());
            } else if !self.reported.contains(name) {
                self.reported.push(name.clone());
                shared.push(name.clone());
            }
        }
        shared
    }
}
