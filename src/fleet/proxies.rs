//! What the other proxies tell, where this one is elected.

use crate::analysis::incident::Incident;
use crate::fleet::etcd_response::{KeyValue, RangeResponse};
use crate::fleet::followed_range::FollowedRange;
use crate::fleet::hex::Hex;
use crate::fleet::keys::{FleetKeys, VerdictKey, VerdictKind};
use crate::fleet::proxy_document::{ProxyDocument, ProxyRollout};
use crate::fleet::verdicts::Use;
use crate::policy::fleet_counts::FleetCounts;
use crate::policy::fleet_view::FleetView;
use crate::policy::recent::News;
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

/// One process of another proxy.
#[derive(Debug)]
struct RemoteProxy {
    key: String,
    revision: u64,
    document: ProxyDocument,
    /// When it told something last, by this proxy's clock.
    seen_ms: u64,
    /// By how much this proxy's seconds are ahead of its.
    ahead_s: i64,
    /// How often it told something.
    times: u32,
}

/// A process that is no more.
#[derive(Clone, Debug)]
pub struct Retiring {
    /// Its key.
    pub key: String,
    /// When it was changed last.
    pub revision: u64,
    /// What it told last, marked as retired; nothing where the key is to be deleted.
    pub document: Option<ProxyDocument>,
}

// === impl Proxies ===

impl Proxies {
    const MAX_BYTES: usize = 1_000_000;
    /// A proxy that told nothing for so long is no more.
    const RETIRE_MS: u64 = 60_000;
    /// The key of one that is no more is kept for so long, so that one that was cut off finds it.
    const FORGET_MS: u64 = 3_600_000;
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
            match take(key, kv, known, now_ms, view) {
                Ok(proxy) => drop(self.known.insert(incarnation, proxy)),
                Err(key) => skipped.push(key),
            }
        }
        skipped
    }

    /// How many processes told something within three intervals.
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
        let is_gone = |it: &&RemoteProxy| {
            let silent_ms = now_ms.saturating_sub(it.seen_ms);
            let intervals_ms = it.interval_ms(interval_ms).saturating_mul(20);
            if it.document.retired {
                silent_ms > Self::FORGET_MS
            } else {
                silent_ms > Self::RETIRE_MS.max(intervals_ms)
            }
        };
        let gone = self.known.values().filter(is_gone);
        let retiring = gone.map(|it| {
            let mut document = it.document.clone();
            document.retired = true;
            for rollout in document.rollouts.values_mut() {
                rollout.recent = None;
            }
            Retiring {
                key: it.key.clone(),
                revision: it.revision,
                document: (!it.document.retired).then_some(document),
            }
        });
        retiring.take(Self::MAX_RETIRING).collect()
    }

    /// All keys are read at the next time: some were written or deleted.
    pub fn read_again(&mut self) {
        self.range.read_again();
    }

    /// Whether live proxies have the configuration that a verdict holds for.
    pub fn usage(&self, key: &VerdictKey, now_ms: u64, interval_ms: u64) -> Use {
        let live = self.known.values();
        let live = live.filter(|it| it.is_live(now_ms, interval_ms));
        let mut known = Use::Unknown;
        for rollout in live.filter_map(|it| it.document.rollouts.get(&key.rollout)) {
            if rollout.digest_of(key.kind) == key.digest {
                return Use::InForce;
            }
            known = Use::Replaced;
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
            // One that was restarted is silent soon.
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

/// Takes what a proxy tells. An error is the key.
fn take(
    key: String,
    kv: &KeyValue<'_>,
    known: Option<RemoteProxy>,
    now_ms: u64,
    view: &mut FleetView,
) -> Result<RemoteProxy, String> {
    let known = match known {
        Some(same) if same.revision == kv.mod_revision => return Ok(same),
        other => other,
    };
    let value = kv.value(Proxies::MAX_BYTES);
    let Some(document) = value.and_then(|value| ProxyDocument::read(&value)) else {
        return Err(key);
    };
    let ahead_s = known.as_ref().map(|it| it.ahead_s);
    let ahead_s = ahead_s.unwrap_or_else(|| difference(now_ms / 1_000, document.second));
    let before = known.as_ref().filter(|it| !it.document.retired);
    let is_late = before.is_none_or(|it| !it.is_live(now_ms, document.interval_ms));
    let rollouts = document.rollouts.iter().filter(|_| !document.retired);
    for (name, rollout) in rollouts {
        let before = before.and_then(|it| it.document.rollouts.get(name));
        let counts = FleetCounts::from(&rollout.counts);
        if is_late {
            let base = before.map(|it| FleetCounts::from(&it.counts));
            let late = base.map_or_else(|| counts.clone(), |base| counts.since(&base));
            view.late.push((name.clone(), late));
        } else if let (Some(recent), Some(before)) = (&rollout.recent, before) {
            let none = Default::default();
            let news = recent.since(before.recent.as_ref().unwrap_or(&none));
            view.news.push((name.clone(), by_our_clock(news, ahead_s)));
        }
    }
    Ok(RemoteProxy {
        key,
        revision: kv.mod_revision,
        document,
        seen_ms: now_ms,
        ahead_s,
        times: known.map_or(0, |it| it.times).saturating_add(1),
    })
}

fn difference(ours: u64, theirs: u64) -> i64 {
    let signed = |second| i64::try_from(second).unwrap_or(i64::MAX);
    signed(ours).saturating_sub(signed(theirs))
}

/// News with this proxy's seconds.
fn by_our_clock(mut news: News, ahead_s: i64) -> News {
    for (second, _, _) in &mut news.starts {
        *second = second.saturating_add_signed(ahead_s);
    }
    let incidents = news.incidents.iter_mut();
    for Incident { began_s, .. } in incidents {
        *began_s = began_s.saturating_add_signed(ahead_s);
    }
    news
}

// === impl RemoteProxy ===

impl RemoteProxy {
    fn interval_ms(&self, ours_ms: u64) -> u64 {
        // What another process claims may be anything.
        self.document
            .interval_ms
            .clamp(ours_ms, 60_000.max(ours_ms))
    }

    fn is_live(&self, now_ms: u64, interval_ms: u64) -> bool {
        let intervals_ms = self.interval_ms(interval_ms).saturating_mul(3);
        // A tick, and a call that comes back late, on top.
        let silent_ms = now_ms.saturating_sub(self.seen_ms);
        !self.document.retired && silent_ms <= intervals_ms.saturating_add(500)
    }
}

// === impl ProxyRollout ===

impl ProxyRollout {
    /// What a verdict of a kind holds for.
    pub fn digest_of(&self, kind: VerdictKind) -> Hex {
        match kind {
            VerdictKind::Rollback => self.digest,
            VerdictKind::Promotion => self.gate,
            VerdictKind::Ramp => self.ramp,
        }
    }
}
