//! The aggregate, which the elected proxy publishes to all others.

use crate::analysis::sequential_guard::Evidence;
use crate::fleet::hex::Hex;
use crate::fleet::retired::WireCountsByRollout;
use crate::fleet::wire_counts::WireCounts;
use crate::policy::action::GuardState;
use crate::policy::fleet_view::FleetShown;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// The fleet as the elected proxy sees it. It is written anew once an interval, which shows that the proxy lives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AggregateDocument {
    /// The version of the format.
    pub v: u32,
    /// The process that is elected.
    pub elected: Hex,
    /// Its `node.id`.
    pub name: String,
    /// How often it is written, in milliseconds.
    pub interval_ms: u64,
    /// How many proxies have published within three intervals.
    pub proxies: u64,
    /// By name.
    pub rollouts: HashMap<String, AggregateRollout, Xxh64Builder>,
    /// What those have counted that are no more, by the names of rollouts.
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    pub retired: WireCountsByRollout,
}

/// One rollout over the fleet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AggregateRollout {
    /// What all proxies have counted: several entries while their configurations differ.
    pub counts: Vec<WireCounts>,
    /// The digest of the configuration by which the elected proxy judges.
    pub digest: Hex,
    /// 0 watching, 1 too little to judge, 2 tripped.
    pub state: u32,
    /// The sequential guard's evidence that the canary fails more often, and that it is slow more often, in percent.
    pub evidence_percent: [u32; 2],
    /// For how long the ramp has been at its step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ramp: Option<RampAge>,
}

/// For how long a ramp has been at its step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RampAge {
    /// The digest of what the ramp goes by.
    pub digest: Hex,
    /// The index of the step.
    pub step: u32,
    /// In milliseconds.
    pub elapsed_ms: u64,
}

// === impl AggregateDocument ===

impl AggregateDocument {
    /// The version of the format that this filter writes and reads.
    pub const VERSION: u32 = 1;

    /// Reads a document of this version.
    pub fn read(json: &[u8]) -> Option<Self> {
        let document: Self = serde_json::from_slice(json).ok()?;
        (document.v == Self::VERSION).then_some(document)
    }
}

// === impl AggregateRollout ===

impl AggregateRollout {
    /// Takes over what the elected proxy shows.
    pub fn show(&mut self, shown: FleetShown) {
        self.digest = Hex(shown.digest);
        self.state = shown.state as u32;
        self.evidence_percent = [shown.evidence.errors_percent, shown.evidence.slow_percent];
    }

    /// What the elected proxy shows.
    pub fn shown(&self) -> FleetShown {
        let [errors_percent, slow_percent] = self.evidence_percent;
        FleetShown {
            digest: self.digest.0,
            state: match self.state {
                0 => GuardState::Watching,
                2 => GuardState::Tripped,
                _ => GuardState::Inconclusive,
            },
            evidence: Evidence {
                errors_percent,
                slow_percent,
            },
        }
    }
}
