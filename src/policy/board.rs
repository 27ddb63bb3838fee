//! What all VMs of one Envoy have counted together.

use crate::policy::recent::{News, Recent};
use crate::policy::registry::Registry;
use crate::policy::rollout_counts::{Epoch, RolloutCounts};
use crate::policy::shared_keys::SharedKeys;
use crate::policy::shared_store::{HostStatus, NO_CHANGE, SharedStore, edit, parse};
use crate::policy::vm_counts::VmCounts;
use crate::value::name::RolloutName;

/// Copies of the counts of all VMs.
#[derive(Debug, Default)]
pub struct Board {
    registry: Registry,
    registry_change: u32,
    vms: Vec<VmCopy>,
    news: Vec<(String, News)>,
    changes: u64,
}

/// The counts of one VM.
#[derive(Debug, Default)]
struct VmCopy {
    vm: u32,
    counts: VmCounts,
    change: u32,
    silent_looks: u32,
}

// === impl Board ===

impl Board {
    /// A VM that did not tell its counts anew for so many looks is no more: each does every fifty ticks.
    pub const SILENT_LOOKS: u32 = 300;

    /// Reads what has changed.
    ///
    /// # Errors
    /// Where the host refuses a call.
    pub fn look(&mut self, store: &impl SharedStore, keys: &SharedKeys) -> Result<(), HostStatus> {
        let mut has_changed = self.read_registry(store, keys)?;
        let mut silent = None;
        for copy in &mut self.vms {
            let Some((json, change)) = store.get(&keys.counts_of(copy.vm))? else {
                continue;
            };
            if change == copy.change {
                copy.silent_looks = copy.silent_looks.saturating_add(1);
                if copy.silent_looks > Self::SILENT_LOOKS {
                    silent = Some(copy.vm);
                }
                continue;
            }
            let counts: VmCounts = parse(&json);
            has_changed |= counts.rollouts != copy.counts.rollouts;
            let none = Recent::default();
            for (name, recent) in &counts.recent {
                let before = copy.counts.recent.get(name).unwrap_or(&none);
                self.news.push((name.clone(), recent.since(before)));
            }
            copy.counts = counts;
            copy.change = change;
            copy.silent_looks = 0;
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

    /// What went on since this was asked before.
    pub fn take_news(&mut self) -> Vec<(String, News)> {
        std::mem::take(&mut self.news)
    }

    /// The last beat of each VM whose counts are among these.
    pub fn beats(&self) -> impl Iterator<Item = (u32, u64)> {
        self.vms.iter().map(|copy| (copy.vm, copy.counts.beat))
    }

    /// Whether clients wait until the fleet's store has what a VM counted.
    pub fn is_awaited(&self) -> bool {
        self.vms.iter().any(|copy| copy.counts.is_awaited)
    }

    /// What all counted of a rollout's epoch.
    pub fn counts(&self, name: &RolloutName, epoch: Epoch) -> RolloutCounts {
        let mut counts = RolloutCounts::of(epoch);
        let copies = self.vms.iter().map(|copy| &copy.counts);
        for told in copies.chain([self.registry.retired()]) {
            if let Some(theirs) = told.rollouts.get(name.as_str()) {
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
