//! `shadow`: which requests the canary gets a copy of.

use crate::analysis::confidence_sequence::ConfidenceLevel;
use crate::analysis::disagreement::Comparison;
use crate::analysis::guard::Guard;
use crate::analysis::shadow::Shadow;
use crate::config::kind::{Confidence, Flag, MethodName, Percentage, StepRequests};
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use crate::value::method::Method;
use crate::value::percent::Percent;
use serde::Deserialize;

/// Which requests that the stable color serves the canary gets a copy of. Users wait for no copy and see none of the
/// answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ShadowConfig<'d> {
    /// Of how many users, in percent: those whom the canary would serve first.
    percent: Field<'d, Percentage>,
    /// With which methods; GET and HEAD where absent. A service does what a request asks for twice, unless it heeds
    /// `x-bluegreen-shadow`.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1)))]
    methods: Field<'d, Vec<MethodName>>,
    /// How many copies have ended before the ramp begins; the guard's `min_requests` where absent, 0 where there is no
    /// guard.
    #[serde(default)]
    min_requests: Field<'d, StepRequests>,
    /// Whether the answers of both colors are compared, by the label that services send with them; `false` where absent.
    #[serde(default)]
    compare: Field<'d, Flag>,
    /// The highest share of requests on which the colors may disagree. It goes with `compare`.
    #[serde(default)]
    max_disagreement: Field<'d, Percentage>,
    /// How sure it must be that this is kept or broken, in percent; `none` holds the bare figure against the limit. 95
    /// where absent. It goes with `max_disagreement`.
    #[serde(default)]
    confidence: Field<'d, Confidence>,
}

/// What is written of it. How many copies a ramp waits for may be up to the guard.
pub struct ReadShadow {
    percent: Percent,
    methods: Option<Vec<Method>>,
    min_requests: Option<u64>,
    comparison: Option<Comparison>,
}

// === impl ShadowConfig ===

impl Read for ShadowConfig<'_> {
    type Valid = ReadShadow;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<ReadShadow> {
        let raw: ShadowConfig<'_> = read_object(node, problems)?;
        let percent = raw.percent.required(node, problems);
        let methods = raw.methods.optional(node, problems);
        let min_requests = raw.min_requests.optional(node, problems);
        let compares = raw.compare.optional(node, problems).unwrap_or_default();
        let max_disagreement = raw.max_disagreement.optional(node, problems);
        let confidence = raw.confidence.optional(node, problems);
        if !compares && max_disagreement.is_some() {
            node.problem(
                problems,
                "max_disagreement without compare, must be given with \"compare\": true",
            );
        }
        if max_disagreement.is_none() && confidence.is_some() {
            node.problem(
                problems,
                "confidence without max_disagreement, must be given with it",
            );
        }
        let comparison = Comparison {
            max_disagreement,
            confidence: confidence.unwrap_or(Some(ConfidenceLevel::DEFAULT)),
            min_pairs: min_requests
                .filter(|&it| it > 0)
                .unwrap_or(Comparison::USUAL_PAIRS),
        };
        Some(ReadShadow {
            percent: percent?,
            methods,
            min_requests,
            comparison: compares.then_some(comparison),
        })
    }
}

impl Read for Vec<MethodName> {
    type Valid = Vec<Method>;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Vec<Method>> {
        let mut methods = Vec::new();
        let items = node.array(problems)?;
        if items.is_empty() {
            node.problem(problems, "[], must be one method or more");
        }
        for (index, json) in items.into_iter().enumerate() {
            let item = node.item(index, json);
            match MethodName::read(&item, problems) {
                Some(method) if methods.contains(&method) => {
                    let name = method.as_str();
                    item.problem(
                        problems,
                        format_args!("duplicate {name}, must be given once"),
                    );
                }
                method => methods.extend(method),
            }
        }
        Some(methods)
    }
}

// === impl ReadShadow ===

impl ReadShadow {
    /// With what the rollout's guard says.
    pub fn with_guard(self, guard: Option<&Guard>) -> Shadow {
        let implied = guard.map_or(0, |guard| guard.min_requests);
        Shadow {
            percent: self.percent,
            methods: self.methods.unwrap_or_else(Method::safe),
            min_requests: self.min_requests.unwrap_or(implied),
            comparison: self.comparison,
        }
    }
}
