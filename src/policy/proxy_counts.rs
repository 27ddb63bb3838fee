//! What all VMs of one Envoy have counted together.

use crate::policy::recent::{Recent, RecentDelta};
use crate::policy::registry::Registry;
use crate::policy::rollout_counts::{Epoch, RolloutCounts};
use crate::policy::shared_keys::SharedKeys;
use crate::policy::shared_store::{HostStatus, NO_CHANGE, SharedStore, edit, parse};
use crate::policy::vm_counts::VmCounts;
use crate::value::name::RolloutName;

/// Copies of the counts of all VMs.
#[derive(Debug, Default)]
pub struct ProxyCounts {
    registry: Registry,
    registry_change: u32,
    vms: Vec<VmCopy>,
    recent: Vec<(String, RecentDelta)>,
    changes: u64,
}

/// The counts of one VM.
#[derive(Debug, Default)]
struct VmCopy {
    vm: u32,
    counts: VmCounts,
    change: u32,
    unchanged_reads: u32,
}

// === impl ProxyCounts ===

impl ProxyCounts {
    /// A VM whose counts were unchanged at so many reads is gone: each VM publishes every fifty ticks.
    pub const MAX_UNCHANGED_READS: u32 = 300;

    /// Reads what has changed.
    ///
    /// # Errors
    /// Where the host refuses a call.
    pub fn refresh(
        &mut self,
        store: &impl SharedStore,
        keys: &SharedKeys,
    ) -> Result<(), HostStatus> {
        let mut has_changed = self.read_registry(store, keys)?;
        let mut silent = None;
        for copy in &mut self.vms {
            let Some((json, change)) = store.get(&keys.counts_of(copy.vm))? else {
                continue;
            };
            if change == copy.change {
                copy.unchanged_reads = copy.unchanged_reads.saturating_add(1);
                if copy.unchanged_reads > Self::MAX_UNCHANGED_READS {
                    silent = Some(copy.vm);
                }
                continue;
            }
            let counts: VmCounts = parse(&json);
            has_changed |= counts.rollouts != copy.counts.rollouts;
            let none = Recent::default();
            for (name, recent) in &counts.recent {
                let before = copy.counts.recent.get(name).unwrap_or(&none);
                self.recent.push((name.clone(), recent.since(before)));
            }
            copy.counts = counts;
            copy.change = change;
            copy.unchanged_reads = 0;
        }
        if let Some(vm) = silent {
            self.retire(store, keys, vm)?;
        }
        self.changes = self.changes.wrapping_add(u64::from(has_changed));
        Ok(())
    }

    /// How often the counts were found changed.
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// What has happened since the last call.
    pub fn take_recent(&mut self) -> Vec<(String, RecentDelta)> {
        std::mem::take(&mut self.recent)
    }

    /// The last heartbeat of each VM whose counts are among these.
    pub fn heartbeats(&self) -> impl Iterator<Item = (u32, u64)> {
        self.vms.iter().map(|copy| (copy.vm, copy.counts.heartbeat))
    }

    /// Whether clients wait until the fleet's store has what a VM counted.
    pub fn is_awaited(&self) -> bool {
        self.vms.iter().any(|copy| copy.counts.is_awaited)
    }

    /// What all counted of a rollout's epoch.
    pub fn of_rollout(&self, name: &RolloutName, epoch: Epoch) -> RolloutCounts {
        let mut counts = RolloutCounts::of(epoch);
        let copies = self.vms.iter().map(|copy| &copy.counts);
        for counted in copies.chain([self.registry.retired()]) {
            if let Some(theirs) = counted.rollouts.get(name.as_str()) {
                counts.add(theirs);
            }
        }
        counts
    }

    fn read_registry(
        &mut self,
        store: &impl SharedStore,
        keys: &SharedKeys,
    ) -> Result<bool, HostStatus> {
        let Some((json, change)) = store.get(&keys.registry)? else {
            return Ok(false);
        };
        if change == self.registry_change {
            return Ok(false);
        }
        self.registry = parse(&json);
        self.registry_change = change;
        let registry = &self.registry;
        self.vms.retain(|copy| registry.has_vm(copy.vm));
        for vm in registry.vms() {
            if !self.vms.iter().any(|copy| copy.vm == vm) {
                self.vms.push(VmCopy {
                    vm,
                    ..VmCopy::default()
                });
            }
        }
        Ok(true)
    }

    /// Takes over the counts of a VM that is no more, and drops its document.
    fn retire(
        &mut self,
        store: &impl SharedStore,
        keys: &SharedKeys,
        vm: u32,
    ) -> Result<(), HostStatus> {
        let Some(copy) = self.vms.iter().find(|copy| copy.vm == vm) else {
            return Ok(());
        };
        edit(store, &keys.registry, |registry: &mut Registry| {
            registry.retire_vm(vm, &copy.counts)
        })?;
        store.set(&keys.counts_of(vm), b"", NO_CHANGE)?;
        Ok(())
    }
}
