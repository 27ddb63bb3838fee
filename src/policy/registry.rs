//! Which VMs there are, and what those counted that are no more.

use crate::policy::vm_counts::VmCounts;
use serde::{Deserialize, Serialize};

/// All VMs that have taken part since Envoy's start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Registry {
    last_id: u32,
    vms: Vec<u32>,
    retired: VmCounts,
}

// === impl Registry ===

impl Registry {
    /// Adds a VM, and gives it its id.
    pub fn add_vm(&mut self) -> u32 {
        self.last_id = self.last_id.saturating_add(1);
        self.vms.push(self.last_id);
        self.last_id
    }

    /// Removes a VM that is no more, and keeps what it counted. Says whether it was there.
    pub fn retire_vm(&mut self, vm: u32, counts: &VmCounts) -> bool {
        let is_there = self.has_vm(vm);
        self.vms.retain(|&it| it != vm);
        if is_there {
            self.retired.follow(counts);
        }
        is_there
    }

    /// The ids of all VMs.
    pub fn vms(&self) -> impl Iterator<Item = u32> {
        self.vms.iter().copied()
    }

    /// Whether a VM is among them.
    pub fn has_vm(&self, vm: u32) -> bool {
        self.vms.contains(&vm)
    }

    /// What those counted that are no more.
    pub fn retired(&self) -> &VmCounts {
        &self.retired
    }
}
