//! What the VMs of one proxy share of the exchange.

use crate::fleet::hex::Hex;
use crate::fleet::wire_counts::WireCounts;
use crate::policy::peers::Peers;
use crate::policy::shared_store::{HostStatus, SharedStore, edit};
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
    /// The last heartbeat of each VM whose counts etcd has.
    pub stored: Vec<(u32, u64)>,
    /// Counts of this process that are among those of retired proxies.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub base: HashMap<String, WireCounts, Xxh64Builder>,
}

// === impl FleetShared ===

impl FleetShared {
    /// What is shared, with an incarnation of this seed where this process has none yet.
    ///
    /// # Errors
    /// Where the host refuses a call.
    pub fn begin<S: SharedStore>(peers: &Peers<S>, seed: u64) -> Result<Self, HostStatus> {
        let mut shared = Self::default();
        edit(&peers.store, &peers.keys.fleet, |document: &mut Self| {
            let is_new = document.incarnation == Hex::default();
            if is_new {
                document.incarnation = Hex(seed.max(1));
            }
            shared.clone_from(document);
            is_new
        })?;
        Ok(shared)
    }

    /// Tells the other VMs that the fleet has answered.
    ///
    /// # Errors
    /// Where the host refuses a call.
    pub fn announce_answered<S: SharedStore>(peers: &Peers<S>) -> Result<(), HostStatus> {
        edit(&peers.store, &peers.keys.fleet, |shared: &mut Self| {
            !std::mem::replace(&mut shared.is_answered, true)
        })?;
        Ok(())
    }

    /// Whether etcd has what a VM published under a heartbeat.
    pub fn has_stored(&self, vm: u32, heartbeat: u64) -> bool {
        let mut stored = self.stored.iter();
        stored.any(|&(it, last)| it == vm && last >= heartbeat)
    }
}
