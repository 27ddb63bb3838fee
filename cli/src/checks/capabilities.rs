//! Which capabilities a configuration needs, where the plugin restricts them.

use crate::finding::Finding;
use bluegreen::Policy;

/// What the filter always calls, or is called for.
const ALWAYS: [&str; 19] = [
    "proxy_on_context_create",
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_tick",
    "proxy_on_request_headers",
    "proxy_on_delete",
    "proxy_log",
    "proxy_get_buffer_bytes",
    "proxy_get_header_map_pairs",
    "proxy_replace_header_map_value",
    "proxy_remove_header_map_value",
    "proxy_get_property",
    "proxy_call_foreign_function",
    "proxy_get_shared_data",
    "proxy_set_shared_data",
    "proxy_get_current_time_nanoseconds",
    "proxy_set_tick_period_milliseconds",
    "proxy_define_metric",
    "proxy_increment_metric",
];

const BODIES: [&str; 2] = ["proxy_on_request_body", "proxy_on_request_trailers"];

/// What of the capabilities that are allowed is too little for a policy.
pub fn check(policy: &Policy, allowed: &[String], holds_headers: bool) -> Vec<Finding> {
    let lacks = |name: &&&str| !allowed.iter().any(|it| it == **name);
    let mut findings = Vec::new();
    let mut missing = |names: &[&str], path: &str, why: &str, is_error: bool| {
        let names: Vec<&str> = names.iter().filter(lacks).copied().collect();
        if names.is_empty() {
            return;
        }
        let verb = if names.len() == 1 { "is" } else { "are" };
        let message = format!(
            "{} {verb} not among allowed_capabilities: {why}",
            names.join(", ")
        );
        findings.push(if is_error {
            Finding::error(path, message)
        } else {
            Finding::warning(path, message)
        });
    };
    missing(&ALWAYS, "", "the filter does not work without", true);
    missing(
        &["clock_time_get"],
        "",
        "durations go by the wall clock, and a step of it makes them wrong",
        false,
    );
    let needs_responses = |rollout| policy.needs_responses(rollout);
    if policy.rollouts.iter().any(needs_responses) {
        let why = "responses do not reach the filter";
        missing(&["proxy_on_response_headers"], "", why, true);
    }
    if policy.feedback.is_some() {
        let why = "feedback in a body is not taken";
        missing(&BODIES, "feedback", why, false);
        let why = "feedback can't be answered";
        missing(&["proxy_send_local_response"], "feedback", why, true);
        let why = "feedback whose body does not come may not be answered";
        missing(&["proxy_set_effective_context"], "feedback", why, false);
    } else if let Some(index) = policy.rollouts.iter().position(|it| it.guard.is_some()) {
        let why = "a request with a body is never slow, and its time-out never counts as failed";
        missing(&BODIES, &format!("rollouts[{index}].guard"), why, false);
    }
    if let Some(fleet) = &policy.fleet {
        let needed = [
            "proxy_http_call",
            "proxy_on_http_call_response",
            "proxy_set_effective_context",
        ];
        missing(&needed, "fleet", "the fleet is never reached", true);
        let why = "first requests do not wait for what the fleet has decided";
        missing(&["proxy_continue_stream"], "fleet", why, false);
        if fleet.auth.is_some() {
            let why = "there is no password";
            let needed = ["environ_get", "environ_sizes_get"];
            missing(&needed, "fleet.auth", why, true);
        }
    }
    if policy.feedback.is_some() && !holds_headers {
        findings.push(Finding::warning(
            "feedback",
            "allow_on_headers_stop_iteration is not true: feedback in a body is not taken",
        ));
    }
    findings
}
