//! What the fleet has decided, as far as this proxy knows.

use crate::fleet::etcd_response::{KeyValue, RangeResponse};
use crate::fleet::followed_range::FollowedRange;
use crate::fleet::keys::{FleetKeys, VerdictKey, VerdictKind};
use crate::fleet::verdict_document;
use crate::policy::fleet_view::{FleetFact, FleetVerdict};
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// The verdicts of a fleet.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// How far their keys have been read.
    pub range: FollowedRange,
    known: HashMap<VerdictKey, Known, Xxh64Builder>,
    /// Keys whose values can't be read, and when they were changed last.
    broken: HashMap<VerdictKey, u64, Xxh64Builder>,
}

#[derive(Debug)]
struct Known {
    verdict: FleetVerdict,
    /// When its key was changed last.
    revision: u64,
    /// Since when no proxy has had the configuration that it holds for.
    unused_since_ms: Option<u64>,
}

/// Whether proxies have the configuration that a verdict holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// One has it.
    InForce,
    /// None has it, and one has another configuration of the rollout.
    Replaced,
    /// None has the rollout.
    Unknown,
}

// === impl Verdicts ===

impl Verdicts {
    const MAX_BYTES: usize = 16_384;

    /// Takes what was read of their keys. `elapsed_ms` is for how long the ramp of a digest has been at a step. Gives
    /// the keys that can't be read.
    pub fn read(
        &mut self,
        keys: &FleetKeys,
        range: &RangeResponse<'_>,
        (was_all, revision): (bool, u64),
        now_ms: u64,
        elapsed_ms: impl Fn(&VerdictKey, u32) -> u64,
    ) -> Vec<String> {
        let mut before = HashMap::default();
        if was_all {
            before = std::mem::take(&mut self.known);
            self.broken.clear();
        }
        self.range.take(range, was_all, revision);
        let mut skipped = Vec::new();
        for kv in &range.kvs {
            let raw = kv.key().unwrap_or_default();
            let Some(key) = keys.read_verdict(&raw) else {
                skipped.push(raw);
                continue;
            };
            match before.remove(&key) {
                Some(known) if known.revision == kv.mod_revision => {
                    self.known.insert(key, known);
                }
                _ if self.take(&key, kv, now_ms, &elapsed_ms) => {}
                _ => skipped.push(raw),
            }
        }
        skipped
    }

    /// Takes a verdict that another proxy was faster to write.
    pub fn take(
        &mut self,
        key: &VerdictKey,
        kv: &KeyValue<'_>,
        now_ms: u64,
        elapsed_ms: impl Fn(&VerdictKey, u32) -> u64,
    ) -> bool {
        let value = kv.value(Self::MAX_BYTES);
        let verdict = value.and_then(|value| {
            verdict_document::read(key.kind, &value, now_ms, |step| elapsed_ms(key, step))
        });
        let is_known = |known: &Known| known.revision == kv.mod_revision;
        if self.known.get(key).is_some_and(is_known) {
            return true;
        }
        let is_good = verdict.is_some();
        match verdict {
            Some(verdict) => self.put(key.clone(), verdict, kv.mod_revision),
            None => {
                self.known.remove(key);
                self.broken.insert(key.clone(), kv.mod_revision);
            }
        }
        is_good
    }

    /// This proxy has written a verdict.
    pub fn written(&mut self, key: VerdictKey, verdict: FleetVerdict, revision: u64) {
        self.put(key, verdict, revision);
    }

    /// This proxy has deleted a verdict.
    pub fn deleted(&mut self, key: &VerdictKey) {
        self.known.remove(key);
        self.range.read_again();
    }

    fn put(&mut self, key: VerdictKey, verdict: FleetVerdict, revision: u64) {
        let known = Known {
            verdict,
            revision,
            unused_since_ms: None,
        };
        self.broken.remove(&key);
        self.known.insert(key, known);
    }

    /// What was decided.
    pub fn get(&self, key: &VerdictKey) -> Option<&FleetVerdict> {
        self.known.get(key).map(|known| &known.verdict)
    }

    /// When a key was changed last; 0 where it is not there.
    pub fn revision(&self, key: &VerdictKey) -> u64 {
        let known = self.known.get(key).map(|known| known.revision);
        known.or_else(|| self.broken.get(key).copied()).unwrap_or(0)
    }

    /// All, for the worker to act on.
    pub fn facts(&self) -> Vec<FleetFact> {
        let facts = self.known.iter().map(|(key, known)| FleetFact {
            rollout: key.rollout.clone(),
            digest: key.digest.0,
            verdict: known.verdict.clone(),
        });
        facts.collect()
    }

    /// Those whose configuration has been replaced on all proxies for so long that they are to be deleted.
    pub fn ended(
        &mut self,
        now_ms: u64,
        after_ms: u64,
        used: impl Fn(&VerdictKey) -> Usage,
    ) -> Vec<(VerdictKey, u64)> {
        let mut ended = Vec::new();
        for (key, known) in &mut self.known {
            if used(key) != Usage::Replaced {
                known.unused_since_ms = None;
                continue;
            }
            let since_ms = *known.unused_since_ms.get_or_insert(now_ms);
            if now_ms.saturating_sub(since_ms) > after_ms {
                ended.push((key.clone(), known.revision));
            }
        }
        ended
    }
}

// === impl VerdictKey ===

impl VerdictKey {
    /// The key of a verdict of a kind.
    pub fn new(rollout: &str, digest: u64, kind: VerdictKind) -> Self {
        Self {
            rollout: rollout.to_owned(),
            digest: crate::fleet::hex::Hex(digest),
            kind,
        }
    }
}
