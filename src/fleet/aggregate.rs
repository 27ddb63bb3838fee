//! Who is elected, and what it knows of the fleet.

use crate::fleet::aggregate_document::AggregateDocument;
use crate::fleet::etcd_response::RangeResponse;
use crate::fleet::hex::Hex;
use crate::fleet::keys::{VerdictKey, VerdictKind};

/// What the elected proxy wrote last. Who writes it is elected; where it stands still for three intervals, another
/// proxy takes over.
#[derive(Debug, Default)]
pub struct Aggregate {
    /// When its key was changed last; 0 where it is not there.
    pub revision: u64,
    /// The last that could be read.
    pub document: AggregateDocument,
    /// When its key was seen to change last, by this proxy's clock.
    seen_ms: u64,
    /// Whether the key holds that document.
    is_good: bool,
}

// === impl Aggregate ===

impl Aggregate {
    const MAX_BYTES: usize = 4_000_000;

    /// Takes what was read of its key, of changes alone or of all. False where it can't be read.
    pub fn read(&mut self, range: &RangeResponse<'_>, now_ms: u64) -> bool {
        let Some(kv) = range.kvs.first() else {
            if range.count == 0 && self.revision != 0 {
                self.revision = 0;
                self.is_good = false;
            }
            return true;
        };
        if kv.mod_revision == self.revision {
            return true;
        }
        self.revision = kv.mod_revision;
        self.seen_ms = now_ms;
        let value = kv.value(Self::MAX_BYTES);
        let document = value.and_then(|value| AggregateDocument::read(&value));
        self.is_good = document.is_some();
        if let Some(document) = document {
            self.document = document;
        }
        self.is_good
    }

    /// This proxy has written it.
    pub fn written(&mut self, document: AggregateDocument, revision: u64, now_ms: u64) {
        *self = Self {
            revision,
            document,
            seen_ms: now_ms,
            is_good: true,
        };
    }

    /// Whether a process is elected.
    pub fn elects(&self, incarnation: Hex) -> bool {
        self.is_good && self.revision != 0 && self.document.elected == incarnation
    }

    /// Whether a process may write it: it is elected, or nobody seems to be.
    pub fn is_open_to(&self, incarnation: Hex, now_ms: u64, interval_ms: u64) -> bool {
        let interval_ms = self
            .document
            .interval_ms
            .clamp(interval_ms, 60_000.max(interval_ms));
        let silent_ms = now_ms.saturating_sub(self.seen_ms);
        self.revision == 0 || self.elects(incarnation) || silent_ms > interval_ms.saturating_mul(3)
    }

    /// For how long the ramp of a verdict has been at a step, as the elected proxy has published it.
    pub fn ramp_elapsed_ms(&self, key: &VerdictKey, step: u32) -> u64 {
        let rollout = self.document.rollouts.get(&key.rollout);
        let ramp = rollout.and_then(|it| it.ramp);
        let is_it = key.kind == VerdictKind::Ramp;
        let ramp = ramp.filter(|it| is_it && (it.digest, it.step) == (key.digest, step));
        ramp.map_or(0, |it| it.elapsed_ms)
    }
}
