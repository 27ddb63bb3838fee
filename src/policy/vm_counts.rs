//! What one VM has counted, as it publishes it to the others.

use crate::policy::recent::Recent;
use crate::policy::rollout_counts::RolloutCounts;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// The counts of all rollouts that have some, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VmCounts {
    /// Changes now and then also where nothing was counted, so that the others see that the VM lives.
    pub heartbeat: u64,
    /// Whether clients wait until the fleet's store has these counts.
    #[serde(skip_serializing_if = "is_false")]
    pub is_awaited: bool,
    /// By name.
    pub rollouts: HashMap<String, RolloutCounts, Xxh64Builder>,
    /// What went on of late, by name, of rollouts whose guards go by single requests.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub recent: HashMap<String, Recent, Xxh64Builder>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_false(flag: &bool) -> bool {
    !flag
}

// === impl VmCounts ===

impl VmCounts {
    /// What has come since `base` was counted.
    pub fn since(&self, base: &Self) -> Self {
        let none = RolloutCounts::default();
        let rollouts = self.rollouts.iter().map(|(name, counts)| {
            let base = base.rollouts.get(name).unwrap_or(&none);
            (name.clone(), counts.since(base))
        });
        Self {
            heartbeat: self.heartbeat,
            is_awaited: self.is_awaited,
            rollouts: rollouts.collect(),
            recent: self.recent.clone(),
        }
    }

    /// Takes over the counts of a VM that is no more.
    pub fn follow(&mut self, other: &Self) {
        for (name, counts) in &other.rollouts {
            let ours = self.rollouts.entry(name.clone()).or_default();
            ours.begin(counts.epoch);
            ours.add(counts);
        }
    }
}
