//! `ramp`: a schedule of weights.

use crate::analysis::ramp::{Ramp, Step};
use crate::config::kind::{Flag, Milliseconds, Percentage, StepRequests, Time};
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use serde::Deserialize;

/// A schedule of the canary's weight.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct RampConfig<'d> {
    /// When the first step begins. Before that, `weights` is in force.
    start: Field<'d, Time>,
    /// The steps. Weights must not fall.
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1)))]
    steps: Field<'d, Vec<StepConfig<'d>>>,
}

/// One step of a ramp. Each but the last asks for one thing or more, and is left when all of it is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct StepConfig<'d> {
    /// The canary's weight.
    weight: Field<'d, Percentage>,
    /// How long it lasts at least.
    #[serde(default)]
    hold: Field<'d, Milliseconds>,
    /// How many canary requests have finished at least since it began; the guard's `min_requests` where absent, 0
    /// where there is no guard.
    #[serde(default)]
    min_requests: Field<'d, StepRequests>,
    /// Whether it is never left, so that the next configuration decides; with no `hold`.
    #[serde(default)]
    pause: Field<'d, Flag>,
}

// === impl RampConfig ===

impl Read for RampConfig<'_> {
    type Valid = Ramp;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Ramp> {
        let raw: RampConfig<'_> = read_object(node, problems)?;
        let start_ms = raw.start.required(node, problems);
        let steps_node = raw.steps.required_node(node, problems)?;
        let steps = Vec::<StepConfig<'_>>::read(&steps_node, problems)?;
        let wrong = match Ramp::new(start_ms.unwrap_or_default(), &steps) {
            Ok(ramp) => return start_ms.map(|_| ramp),
            Err(wrong) => wrong,
        };
        for (index, problem) in wrong {
            let path = steps_node.path();
            let step = index.map(|index| path.item(index));
            problems.push(step.as_ref().unwrap_or(path), problem);
        }
        None
    }
}

impl Read for Vec<StepConfig<'_>> {
    type Valid = Vec<Step>;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Vec<Step>> {
        let before = problems.count();
        let mut steps = Vec::new();
        for (index, json) in node.array(problems)?.into_iter().enumerate() {
            steps.extend(StepConfig::read(&node.item(index, json), problems));
        }
        (problems.count() == before).then_some(steps)
    }
}

// === impl StepConfig ===

impl Read for StepConfig<'_> {
    type Valid = Step;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Step> {
        let raw: StepConfig<'_> = read_object(node, problems)?;
        let weight = raw.weight.required(node, problems);
        let hold_ms = raw.hold.optional(node, problems);
        let min_requests = raw.min_requests.optional(node, problems);
        let pause = raw.pause.optional(node, problems);
        Some(Step {
            weight: weight?,
            hold_ms,
            min_requests,
            pause: pause.unwrap_or(false),
        })
    }
}
