//! Ramps that are over before they begin.

use crate::clock::{show_duration, show_time};
use crate::finding::Finding;
use crate::json::tree::Tree;
use crate::ramp::RampView;
use bluegreen::Policy;

/// Ramps whose last step begins at once.
pub fn check(policy: &Policy, tree: &Tree, now_ms: u64) -> Vec<Finding> {
    let trees = tree.get("rollouts").map(Tree::items).unwrap_or_default();
    let rollouts = policy.rollouts.iter().zip(trees).enumerate();
    let mut findings = Vec::new();
    for (index, (rollout, tree)) in rollouts {
        let Some(ramp) = RampView::of(tree) else {
            continue;
        };
        let Some(over_ms) = now_ms.checked_sub(ramp.last_begins_ms()) else {
            continue;
        };
        let canary = rollout.stable.other().as_str();
        let last = ramp.steps.last().map(|step| step.weight.to_string());
        let weight = last.unwrap_or_default();
        let is_paused = ramp.steps.iter().any(|step| step.is_paused);
        let asks = ramp.steps.iter().any(|step| step.wants_evidence);
        if is_paused || asks {
            continue;
        }
        findings.push(Finding::warning(
            format!("rollouts[{index}].ramp.start"),
            format!(
                "long past: the last step has been due since {}, for {}, so {canary} gets {weight} % \
                 as soon as this is in force",
                show_time(ramp.last_begins_ms()),
                show_duration(over_ms),
            ),
        ));
    }
    findings
}
