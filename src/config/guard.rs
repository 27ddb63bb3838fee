//! `guard`: when traffic goes back to the stable color.

use crate::analysis::guard::{Guard, Limits};
use crate::config::kind::{Minimum, Percentage, SlowAfter, WindowLength};
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use serde::Deserialize;

/// When all traffic goes back to the stable color by itself. It has one limit or more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct GuardConfig<'d> {
    /// How far back requests are looked at.
    window: Field<'d, WindowLength>,
    /// With fewer requests in the window there is no verdict.
    min_requests: Field<'d, Minimum>,
    /// The highest share of failed requests.
    #[serde(default)]
    max_error_rate: Field<'d, Percentage>,
    /// The same, in points above the stable color.
    #[serde(default)]
    max_error_rate_over_stable: Field<'d, Percentage>,
    /// A response that starts later is slow. It goes with a limit on slow requests.
    #[serde(default)]
    slow_after: Field<'d, SlowAfter>,
    /// The highest share of slow requests.
    #[serde(default)]
    max_slow_rate: Field<'d, Percentage>,
    /// The same, in points above the stable color.
    #[serde(default)]
    max_slow_rate_over_stable: Field<'d, Percentage>,
}

// === impl GuardConfig ===

impl Read for GuardConfig<'_> {
    type Valid = Guard;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Guard> {
        let before = problems.count();
        let raw: GuardConfig<'_> = read_object(node, problems)?;
        let window_ms = raw.window.required(node, problems);
        let min_requests = raw.min_requests.required(node, problems);
        let mut limits =
            |max: &Field<'_, Percentage>, over_stable: &Field<'_, Percentage>| Limits {
                max: max.optional(node, problems),
                max_over_stable: over_stable.optional(node, problems),
            };
        let error_rate = limits(&raw.max_error_rate, &raw.max_error_rate_over_stable);
        let slow_rate = limits(&raw.max_slow_rate, &raw.max_slow_rate_over_stable);
        let guard = Guard {
            slow_after_ms: raw.slow_after.optional(node, problems),
            window_ms: window_ms?,
            min_requests: min_requests?,
            error_rate,
            slow_rate,
        };
        if problems.count() == before
            && let Some(problem) = contradiction(&guard)
        {
            node.problem(problems, problem);
        }
        Some(guard)
    }
}

fn contradiction(guard: &Guard) -> Option<&'static str> {
    let limits_errors = guard.error_rate != Limits::default();
    let limits_slow = guard.slow_rate != Limits::default();
    match guard.slow_after_ms {
        None if !limits_errors && !limits_slow => Some(
            "no limit, must be one or more of max_error_rate, max_error_rate_over_stable, \
             max_slow_rate and max_slow_rate_over_stable",
        ),
        Some(_) if !limits_slow => Some(
            "slow_after without a limit, must be given with max_slow_rate or \
             max_slow_rate_over_stable",
        ),
        None if limits_slow => Some(
            "max_slow_rate or max_slow_rate_over_stable without slow_after, must be given with it",
        ),
        _ => None,
    }
}
