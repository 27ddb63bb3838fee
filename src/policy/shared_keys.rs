//! The keys of the documents that the VMs of one plugin share.

use std::fmt::Write as _;

/// The keys of one plugin. All plugins of an Envoy may share one map (an empty `vm_id`), so the plugin's name
/// and root id are part of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedKeys {
    /// Which rollouts are rolled back, and which ramps are promoted.
    pub state: String,
    /// Differs after each change of the state.
    pub revision: String,
    /// Which VM looks after the rollouts.
    pub leader: String,
    /// Which VMs there are.
    pub registry: String,
    /// What is known of the exchange with other proxies.
    pub fleet: String,
    /// The cluster of a fleet's store that Envoy is known to have.
    pub fleet_cluster: String,
    counts: String,
}

// === impl SharedKeys ===

impl SharedKeys {
    /// The keys of the plugin of this name and root id.
    pub fn of(plugin: &[u8], root_id: &[u8]) -> Self {
        let mut prefix = "bluegreen".to_owned();
        for part in [plugin, root_id] {
            let _ = write!(
                prefix,
                "/{}",
                part.escape_ascii().to_string().replace('/', "\\/")
            );
        }
        let key = |name: &str| format!("{prefix}/{name}");
        Self {
            state: key("state"),
            revision: key("revision"),
            leader: key("leader"),
            registry: key("registry"),
            fleet: key("fleet"),
            fleet_cluster: key("fleet-cluster"),
            counts: key("counts"),
        }
    }

    /// The documents that any VM may change.
    pub fn documents(&self) -> [&str; 4] {
        [&self.state, &self.revision, &self.leader, &self.registry]
    }

    /// What the VM of this id has counted.
    pub fn counts_of(&self, vm: u32) -> String {
        format!("{}/{vm}", self.counts)
    }
}
