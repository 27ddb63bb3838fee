//! `guard`: when traffic goes back to the stable color.

use crate::analysis::guard::{Guard, Limits, SlowAfter};
use crate::config::kind::{Flag, Minimum, Percentage, SlowAfterTime, WindowLength};
use crate::config::sequential::SequentialConfig;
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use serde::Deserialize;

/// When all traffic goes back to the stable color by itself. It has `sequential`, or one limit or more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(extend("anyOf" = [
        { "required": ["sequential"] },
        { "required": ["window", "min_requests"] }
    ]))
)]
pub struct GuardConfig<'d> {
    /// How far back requests are looked at. It goes with a limit.
    #[serde(default)]
    window: Field<'d, WindowLength>,
    /// With fewer requests in the window there is no verdict. It goes with a limit.
    #[serde(default)]
    min_requests: Field<'d, Minimum>,
    /// The highest share of failed requests.
    #[serde(default)]
    max_error_rate: Field<'d, Percentage>,
    /// The same, in points above the stable color.
    #[serde(default)]
    max_error_rate_over_stable: Field<'d, Percentage>,
    /// A response that starts later is slow. It goes with a limit on slow requests, or with `sequential`.
    #[serde(default)]
    slow_after: Field<'d, SlowAfterTime>,
    /// The highest share of slow requests.
    #[serde(default)]
    max_slow_rate: Field<'d, Percentage>,
    /// The same, in points above the stable color.
    #[serde(default)]
    max_slow_rate_over_stable: Field<'d, Percentage>,
    /// Whether at most one failed and one slow request of a user count in the window; `false` where absent.
    #[serde(default)]
    per_user: Field<'d, Flag>,
    /// The comparison with the stable color that needs no limits.
    #[serde(default)]
    sequential: Field<'d, SequentialConfig<'d>>,
    /// Whether a request that succeeded only after a retry counts as failed; `true` where absent.
    #[serde(default)]
    count_retries: Field<'d, Flag>,
}

// === impl GuardConfig ===

impl Read for GuardConfig<'_> {
    type Valid = Guard;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Guard> {
        let before = problems.count();
        let raw: GuardConfig<'_> = read_object(node, problems)?;
        let window_ms = raw.window.optional(node, problems);
        let min_requests = raw.min_requests.optional(node, problems);
        let mut limits =
            |max: &Field<'_, Percentage>, over_stable: &Field<'_, Percentage>| Limits {
                max: max.optional(node, problems),
                max_over_stable: over_stable.optional(node, problems),
            };
        let error_rate = limits(&raw.max_error_rate, &raw.max_error_rate_over_stable);
        let slow_rate = limits(&raw.max_slow_rate, &raw.max_slow_rate_over_stable);
        let guard = Guard {
            slow_after: raw.slow_after.optional(node, problems),
            window_ms: window_ms.unwrap_or(Guard::DEFAULT_WINDOW_MS),
            min_requests: min_requests.unwrap_or(Guard::DEFAULT_MIN_REQUESTS),
            error_rate,
            slow_rate,
            per_user: raw.per_user.optional(node, problems).unwrap_or_default(),
            sequential: raw.sequential.optional(node, problems),
            count_retries: raw.count_retries.optional(node, problems).unwrap_or(true),
        };
        let is_sequential = raw.sequential.node(node).is_some();
        if !is_sequential {
            raw.window.required_node(node, problems);
            raw.min_requests.required_node(node, problems);
        }
        let is_timed = window_ms.is_some() && min_requests.is_some();
        if problems.count() > before {
            return None;
        }
        if let Some(problem) = contradiction(&guard, is_timed) {
            node.problem(problems, problem);
        }
        Some(guard)
    }
}

fn contradiction(guard: &Guard, is_timed: bool) -> Option<&'static str> {
    let limits_slow = guard.slow_rate != Limits::default();
    let is_sequential = guard.sequential.is_some();
    match guard.slow_after {
        _ if !guard.has_limits() && !is_sequential => Some(
            "no limit, must be sequential, or one or more of max_error_rate, \
             max_error_rate_over_stable, max_slow_rate and max_slow_rate_over_stable",
        ),
        Some(SlowAfter::Auto) if !is_sequential => {
            Some("slow_after \"auto\" without sequential, must be given with it, or be a duration")
        }
        Some(_) if !limits_slow && !is_sequential => Some(
            "slow_after without a limit, must be given with max_slow_rate, \
             max_slow_rate_over_stable or sequential",
        ),
        None if limits_slow => Some(
            "max_slow_rate or max_slow_rate_over_stable without slow_after, must be given with it",
        ),
        _ if guard.per_user && !guard.has_limits() => Some(
            "per_user without a limit, must be given with one: sequential looks at users in any case",
        ),
        _ if guard.has_limits() && !is_timed => {
            Some("a limit without window and min_requests, must be given with both")
        }
        _ => None,
    }
}
