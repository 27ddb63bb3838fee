//! What proxies counted that are no more.

use crate::fleet::proxy_document::ProxyDocument;
use crate::fleet::wire_counts::WireCounts;
use crate::policy::fleet_counts::FleetCounts;
use crate::value::color::Color;
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// Counts by the names of rollouts: several where they belong to different things.
pub type CountsByRollout = HashMap<String, Vec<FleetCounts>, Xxh64Builder>;

/// Counts by the names of rollouts as etcd has them.
pub type WireCountsByRollout = HashMap<String, Vec<WireCounts>, Xxh64Builder>;

/// Reads counts.
pub fn read(wire: &WireCountsByRollout) -> CountsByRollout {
    let counts = |list: &Vec<WireCounts>| list.iter().map(FleetCounts::from).collect();
    let wire = wire.iter();
    wire.map(|(name, list)| (name.clone(), counts(list)))
        .collect()
}

/// Writes counts.
pub fn to_wire(counts: &CountsByRollout) -> WireCountsByRollout {
    let wire = |list: &Vec<FleetCounts>| list.iter().map(WireCounts::from).collect();
    let counts = counts.iter();
    counts
        .map(|(name, list)| (name.clone(), wire(list)))
        .collect()
}

/// Adds what a proxy counted that is no more.
pub fn retire(retired: &mut CountsByRollout, proxy: &ProxyDocument) {
    for (name, rollout) in &proxy.rollouts {
        let list = retired.entry(name.clone()).or_default();
        FleetCounts::from(&rollout.counts).add_to_list(list);
    }
}

/// Drops what counts for nothing that is in force. `in_force` gives what proxies count for in a rollout; where that is
/// nothing all is kept, since the rollout may come back.
pub fn drop_ended(retired: &mut CountsByRollout, in_force: impl Fn(&str) -> Vec<FleetCounts>) {
    for (name, list) in retired.iter_mut() {
        let in_force = in_force(name);
        if in_force.is_empty() {
            continue;
        }
        let mut kept = Vec::new();
        for mut counts in std::mem::take(list) {
            let mut generations = in_force.iter().map(|it| it.generation);
            if !generations.any(|it| it == counts.generation) {
                counts.end_generation();
            }
            let has_release = |it: &FleetCounts| {
                let mut colors = Color::ALL.into_iter();
                colors.any(|color| it.has_release_of(&counts, color))
            };
            if !counts.is_empty() && in_force.iter().any(has_release) {
                counts.add_to_list(&mut kept);
            }
        }
        *list = kept;
    }
    retired.retain(|_, list| !list.is_empty());
}
