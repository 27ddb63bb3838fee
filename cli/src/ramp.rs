//! The ramp as it stands in a file, and which of its steps is in force as far as the file tells.

use crate::json::tree::Tree;
use bluegreen::{Percent, parse_duration_ms, parse_time_ms};

/// A ramp of a file.
#[derive(Clone, Debug)]
pub struct RampView<'t> {
    /// The ramp itself.
    pub tree: &'t Tree,
    /// When it starts, in milliseconds since 1970.
    pub start_ms: u64,
    /// Its steps, one at least.
    pub steps: Vec<StepView<'t>>,
}

/// A step of a ramp.
#[derive(Clone, Debug)]
pub struct StepView<'t> {
    /// The step itself.
    pub tree: &'t Tree,
    /// The weight of the canary.
    pub weight: Percent,
    /// How long it lasts at least.
    pub hold_ms: u64,
    /// Whether it is never left by itself.
    pub is_paused: bool,
    /// Whether it is left only when Envoy has seen enough.
    pub wants_evidence: bool,
}

/// Which step is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepAt {
    /// The ramp has not started.
    BeforeStart,
    /// This one.
    Step(usize),
    /// This one, or a later one: only Envoy knows.
    AtLeast(usize),
}

// === impl RampView ===

impl<'t> RampView<'t> {
    /// The ramp of a rollout that is valid, where it has one.
    pub fn of(rollout: &'t Tree) -> Option<Self> {
        let tree = rollout.get("ramp")?;
        let start_ms = parse_time_ms(&tree.get("start")?.string()?).ok()?;
        let has_guard = rollout.get("guard").is_some();
        let steps = tree.get("steps")?.items().iter();
        let mut steps: Vec<StepView<'t>> = steps
            .map(|step| StepView::of(step, has_guard))
            .collect::<Option<_>>()?;
        let gate = rollout.get("quality").map(|quality| {
            let hold_at = quality.get("hold_at").and_then(Tree::leaf);
            let hold_at = hold_at.and_then(|it| Percent::parse(it).ok());
            hold_at.or(steps.first().map(|step| step.weight))
        });
        if let Some(Some(gate)) = gate
            && let Some(beyond) = steps.iter().position(|step| step.weight > gate)
            && let Some(held) = beyond.checked_sub(1).and_then(|it| steps.get_mut(it))
        {
            held.wants_evidence = true;
        }
        (!steps.is_empty()).then_some(Self {
            tree,
            start_ms,
            steps,
        })
    }

    /// The step that is in force at a time, as far as the clock and the file tell.
    pub fn step_at(&self, now_ms: u64) -> StepAt {
        let Some(mut left_ms) = now_ms.checked_sub(self.start_ms) else {
            return StepAt::BeforeStart;
        };
        let last = self.steps.len().saturating_sub(1);
        for (index, step) in self.steps.iter().enumerate() {
            if index == last || step.is_paused || left_ms < step.hold_ms {
                return StepAt::Step(index);
            }
            if step.wants_evidence {
                return StepAt::AtLeast(index);
            }
            left_ms -= step.hold_ms;
        }
        StepAt::Step(last)
    }

    /// When its last step begins at the earliest, in milliseconds since 1970.
    pub fn last_begins_ms(&self) -> u64 {
        let all_but_last = self.steps.len().saturating_sub(1);
        let holds = self.steps.iter().take(all_but_last).map(|it| it.hold_ms);
        holds.fold(self.start_ms, u64::saturating_add)
    }
}

// === impl StepView ===

impl<'t> StepView<'t> {
    fn of(tree: &'t Tree, has_guard: bool) -> Option<Self> {
        let hold = tree.get("hold").and_then(Tree::string);
        let min_requests = tree.get("min_requests").and_then(Tree::leaf);
        Some(Self {
            tree,
            weight: Percent::parse(tree.get("weight")?.leaf()?).ok()?,
            hold_ms: hold.map_or(Some(0), |hold| parse_duration_ms(&hold).ok())?,
            is_paused: tree.get("pause").and_then(Tree::leaf) == Some("true"),
            wants_evidence: min_requests.map_or(has_guard, |count| count != "0"),
        })
    }
}
