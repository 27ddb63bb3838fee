//! One VM among those of one Envoy: its id, the counts it publishes, and whether it leads.

use crate::policy::registry::Registry;
use crate::policy::shared_keys::SharedKeys;
use crate::policy::shared_store::{HostStatus, SharedStore, edit, read, to_json};
use crate::policy::vm_counts::VmCounts;
use serde::{Deserialize, Serialize};

/// A VM's place among the others. One VM leads: it looks after all rollouts. Where its heartbeat stops for a
/// second, another takes over.
#[derive(Debug, Default)]
pub struct Member {
    id: Option<u32>,
    ticks: u64,
    last_tick_ms: Option<u64>,
    /// What was counted under earlier ids of this VM.
    base: VmCounts,
    counted: VmCounts,
    is_unpublished: bool,
    leader: Leader,
    silent_ticks: u32,
}

/// Who leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Leader {
    vm: Option<u32>,
    heartbeat: u64,
}

// === impl Member ===

impl Member {
    /// A leader that did not change its heartbeat for so many ticks is replaced.
    pub const SILENT_TICKS: u32 = 5;

    /// A VM publishes its counts every so many ticks, also where they are the same.
    pub const TICKS_PER_HEARTBEAT: u64 = 50;

    /// A VM that did not tick for so long may have been taken for dead: it begins anew under another id.
    pub const STALL_MS: u64 = 20_000;

    /// Publishes what this VM has counted so far, where it is new, and says whether this VM leads.
    ///
    /// # Errors
    /// Where the host refuses a call; what was not done is done at the next tick.
    pub fn tick(
        &mut self,
        store: &impl SharedStore,
        keys: &SharedKeys,
        now_ms: u64,
        counted: Option<VmCounts>,
    ) -> Result<bool, HostStatus> {
        self.ticks = self.ticks.wrapping_add(1);
        let last_ms = self.last_tick_ms.replace(now_ms).unwrap_or(now_ms);
        if now_ms.saturating_sub(last_ms) > Self::STALL_MS && self.id.take().is_some() {
            self.base = self.counted.clone();
        }
        if let Some(counted) = counted {
            self.counted = counted;
            self.is_unpublished = true;
        }
        let id = self.register(store, keys)?;
        if self.is_unpublished || self.ticks.is_multiple_of(Self::TICKS_PER_HEARTBEAT) {
            self.publish(store, keys, id)?;
        }
        self.lead(store, keys, id)
    }

    /// The number under which this VM is known to the others.
    pub fn id(&self) -> Option<u32> {
        self.id
    }

    /// The heartbeat under which it publishes what it counts now.
    pub fn next_heartbeat(&self) -> u64 {
        self.ticks.wrapping_add(1)
    }

    fn register(&mut self, store: &impl SharedStore, keys: &SharedKeys) -> Result<u32, HostStatus> {
        if let Some(id) = self.id {
            return Ok(id);
        }
        let mut id = 0;
        edit(store, &keys.registry, |registry: &mut Registry| {
            id = registry.add_vm();
            true
        })?;
        self.id = Some(id);
        self.is_unpublished = true;
        Ok(id)
    }

    fn publish(
        &mut self,
        store: &impl SharedStore,
        keys: &SharedKeys,
        id: u32,
    ) -> Result<(), HostStatus> {
        let mut counts = self.counted.since(&self.base);
        counts.heartbeat = self.ticks;
        store.set(&keys.counts_of(id), &to_json(&counts), 0)?;
        self.is_unpublished = false;
        Ok(())
    }

    fn lead(
        &mut self,
        store: &impl SharedStore,
        keys: &SharedKeys,
        id: u32,
    ) -> Result<bool, HostStatus> {
        let (leader, change): (Leader, u32) = read(store, &keys.leader)?;
        let is_silent = leader == self.leader;
        self.leader = leader;
        self.silent_ticks = if is_silent {
            self.silent_ticks.saturating_add(1)
        } else {
            0
        };
        let leads = leader.vm == Some(id);
        if !leads && leader.vm.is_some() && self.silent_ticks < Self::SILENT_TICKS {
            return Ok(false);
        }
        let next = Leader {
            vm: Some(id),
            heartbeat: leader.heartbeat.wrapping_add(1),
        };
        store.set(&keys.leader, &to_json(&next), change)
    }
}
