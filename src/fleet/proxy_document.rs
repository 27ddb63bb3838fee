//! The document that one proxy publishes.

use crate::fleet::hex::Hex;
use crate::fleet::keys::VerdictKind;
use crate::fleet::wire_counts::WireCounts;
use crate::policy::recent::Recent;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// What one process of a proxy has counted, and by which configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProxyDocument {
    /// The version of the format.
    pub v: u32,
    /// Envoy's `node.id`.
    pub name: String,
    /// How often it publishes, in milliseconds.
    pub interval_ms: u64,
    /// The second in which it published this, by its own clock that never steps: the seconds in `recent` are by it.
    pub second: u64,
    /// Whether its counts are among those of retired proxies in the aggregate.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retired: bool,
    /// By name.
    pub rollouts: HashMap<String, ProxyRollout, Xxh64Builder>,
}

/// What it has counted of one rollout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProxyRollout {
    /// The digest of all of its configuration.
    pub digest: Hex,
    /// Of what the quality gate goes by.
    pub gate: Hex,
    /// Of what its ramp goes by.
    pub ramp: Hex,
    /// The counts.
    pub counts: WireCounts,
    /// Single requests of late, where a guard goes by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recent: Option<Recent>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_false(flag: &bool) -> bool {
    !flag
}

// === impl ProxyDocument ===

impl ProxyDocument {
    /// The version of the format that this filter writes and reads.
    pub const VERSION: u32 = 1;

    /// Reads a document of this version.
    pub fn read(json: &[u8]) -> Option<Self> {
        let document: Self = serde_json::from_slice(json).ok()?;
        (document.v == Self::VERSION).then_some(document)
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
