//! What of an Envoy's routes keeps a guard from seeing how a canary does.

use crate::envoy::dump::Manager;
use crate::finding::Finding;
use bluegreen::{Policy, Rollout, SlowAfter};
use serde_json::Value;

/// Retries and time-outs that hide from a guard how a canary does. `chosen` are the routes that the filter chooses, each
/// with its virtual host.
pub fn check(
    policy: &Policy,
    manager: &Manager<'_>,
    chosen: &[(&Value, &Value)],
    findings: &mut Vec<Finding>,
) {
    let name = manager.name();
    let guarded = policy.rollouts.iter().enumerate();
    let guarded: Vec<(usize, &Rollout)> = guarded
        .filter(|(_, rollout)| rollout.guard.is_some())
        .collect();
    let Some((first, _)) = guarded.first() else {
        return;
    };
    let retry = |(host, route): &(&Value, &Value)| {
        let policy = route
            .pointer("/route/retry_policy")
            .or(host.get("retry_policy"))?;
        Some(policy.get("retry_on")?.as_str()?.to_owned())
    };
    let mut uncounted = guarded.iter().filter(|(_, it)| !it.counts_retries());
    if let (Some(retry_on), Some((index, _))) = (chosen.iter().find_map(retry), uncounted.next()) {
        let message = format!(
            "{name}: the route retries on {retry_on} and count_retries is false: a canary that fails and is retried with \
             success looks better than it is"
        );
        findings.push(Finding::warning(
            format!("rollouts[{index}].guard.count_retries"),
            message,
        ));
    }
    let common = manager
        .config
        .pointer("/common_http_protocol_options/max_stream_duration");
    let longest = |(_, route): &(&Value, &Value)| {
        route
            .pointer("/route/max_stream_duration/max_stream_duration")
            .is_some()
    };
    if common.is_some() || chosen.iter().any(longest) {
        let message = format!(
            "{name}: a stream that max_stream_duration cuts off counts as served: use timeout or idle_timeout"
        );
        findings.push(Finding::warning(
            format!("rollouts[{first}].guard"),
            message,
        ));
    }
    let timeouts = chosen.iter().map(|(_, route)| timeout_ms(route));
    let Some(timeout_ms) = timeouts.min() else {
        return;
    };
    for (index, rollout) in guarded {
        let path = format!("rollouts[{index}].guard");
        match rollout.slow_after() {
                None if timeout_ms == 0 => findings.push(Finding::warning(
                    path,
                    format!("{name}: the route has no timeout and the guard no slow_after: a canary that hangs is not noticed"),
                )),
                Some(SlowAfter::Fixed(ms)) if timeout_ms > 0 && ms >= timeout_ms => {
                    findings.push(Finding::warning(
                        format!("{path}.slow_after"),
                        format!("{name}: not below the route's timeout of {timeout_ms} ms: no request is ever slow"),
                    ));
                }
                _ => {}
            }
    }
}

/// The timeout of a route, 0 for none; Envoy's own default where it has none.
fn timeout_ms(route: &Value) -> u64 {
    let text = route.pointer("/route/timeout").and_then(Value::as_str);
    let seconds = text.and_then(|text| text.strip_suffix('s')?.parse::<f64>().ok());
    seconds.map_or(15_000, |seconds| (seconds * 1_000.0) as u64)
}
