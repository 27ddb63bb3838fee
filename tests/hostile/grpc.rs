//! Requests that call themselves gRPC, to a service that does not speak it.

use serde_json::json;
use testbed::{TestEnv, post};

use crate::common::{assert_harmless, config, guard, send, wait_for_ends, wait_for_state, watched};

const CALLS: u64 = 25;

async fn assert_status_is_judged_by_http(status: u16, warm_up: impl AsyncFn(&TestEnv) -> u64) {
    let config = config(json!({ "guard": guard(json!({ "max_error_rate": 5 })) }));
    let env = watched(config.clone(), |envoy| envoy).await;
    let before = warm_up(&env).await;
    let call = post("/", "{}")
        .header("content-type", "application/grpc")
        .header("x-test-plain", "1")
        .header("x-test-status", status.to_string());
    send(&env, CALLS, call, status).await;
    wait_for_ends(&env, before + CALLS).await;
    wait_for_state(&env, 0).await;
    assert_harmless(&env, config, &format!("{status} - via_upstream")).await;
}

#[tokio::test]
async fn calls_of_a_path_that_is_not_there_are_no_failures() {
    assert_status_is_judged_by_http(404, async |_| 0).await;
}

#[tokio::test]
async fn calls_that_are_malformed_are_no_failures() {
    assert_status_is_judged_by_http(400, async |_| 0).await;
}

#[tokio::test]
async fn calls_that_are_too_many_are_no_failures() {
    assert_status_is_judged_by_http(429, async |_| 0).await;
}

#[tokio::test]
async fn calls_with_a_plain_answer_are_no_failures() {
    assert_status_is_judged_by_http(200, async |_| 0).await;
}

/// From then on the filter knows that trailers reach it, and may expect a status in them.
#[tokio::test]
async fn calls_with_a_plain_answer_are_no_failures_once_a_grpc_response_was_seen() {
    assert_status_is_judged_by_http(200, async |env| {
        let reply = env.grpc().watch("any", &[]).await;
        assert_eq!(reply.messages, 2);
        let reply = env.grpc().check("any", &[]).await;
        assert_eq!(reply.messages, 1);
        2
    })
    .await;
}
