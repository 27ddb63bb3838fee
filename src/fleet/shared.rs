//! What the VMs of one proxy share of the exchange.

use crate::fleet::hex::Hex;
use crate::fleet::wire_counts::WireCounts;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// What the VMs of one proxy share of the exchange. The leader writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FleetShared {
    /// The id of this process of Envoy.
    pub incarnation: Hex,
    /// Whether the fleet has ever answered: what it had decided is known then.
    pub is_answered: bool,
    /// The last beat of each VM whose counts etcd has.
    pub stored: Vec<(u32, u64)>,
    /// Counts of this process that are among those of retired proxies.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub base: HashMap<String, WireCounts, Xxh64Builder>,
}

// === impl FleetShared ===

impl FleetShared {
    /// Whether etcd has what a VM told with a beat.
    pub fn has_stored(&self, vm: u32, beat: u64) -> bool {
        let mut stored = self.stored.iter();
        stored.any(|&(it, last)| it == vm && last >= beat)
    }
}
