//! Server-sent events that tell of an error, or that end too early.

use serde_json::json;

use crate::common::{both, env, env_with, events, in_pieces, rollout, stream, wait_for};

const WHOLE: &[&str] = &["data: a\\n\\n", "data: b\\n\\n"];
const ERROR: &[&str] = &["data: a\\n\\n", "event: error\\ndata: overloaded\\n\\n"];

#[tokio::test]
async fn error_events_and_unfinished_events_fail_the_stream() {
    let env = env(json!({ "stream": { "sse_errors": true } })).await;
    let failed: &[&[&str]] = &[
        ERROR,
        // Over the borders of pieces, and with each end of line.
        &["data: a\\n\\nev", "ent: er", "ror\\ndata:", " b\\n\\n"],
        &["event:error\\r", "\\n\\r\\n"],
        &["event: error\\rdata: a\\r\\r"],
        &["data: a\\n\\n", "data: b\\n"],
        &["data: a\\n\\n", "data: b"],
    ];
    let served: &[&[&str]] = &[
        WHOLE,
        &["event: message\\ndata: error\\n\\n", ": ping\\n"],
        &["data: event: error\\n\\n"],
        &["event: errors\\ndata: a\\r", "\\n\\r", "\\n"],
    ];
    let mut failures = 0;
    let mut responses = 0;
    let uncompressed = |events: testbed::Request| {
        events.header("x-test-response-header", "content-encoding: Identity")
    };
    for client in both(&env) {
        for pieces in failed.iter().chain(served) {
            let response = client.send(uncompressed(events(pieces))).await;
            assert_eq!((response.status, response.cut), (200, false));
            responses += 1;
            failures += u64::from(failed.contains(pieces));
            wait_for(&env, "bluegreen_responses_total", "blue", responses).await;
            wait_for(&env, "bluegreen_failures_total", "blue", failures).await;
        }
    }
}

#[tokio::test]
async fn what_is_no_readable_stream_of_events_is_not_judged() {
    let env = env(json!({ "stream": stream() })).await;
    let compressed = events(ERROR).header("x-test-response-header", "content-encoding: gzip");
    for client in both(&env) {
        client.send(in_pieces(ERROR)).await;
        client.send(compressed.clone()).await;
    }
    wait_for(&env, "bluegreen_responses_total", "blue", 4).await;
    wait_for(&env, "bluegreen_failures_total", "blue", 0).await;
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_an_event_is_no_failure() {
    let env = env(json!({ "stream": stream() })).await;
    for client in both(&env) {
        let request = events(&["data: a\\n"]).header("x-test-stall", "body");
        client.leave_in_body(request).await;
    }
    wait_for(&env, "bluegreen_responses_total", "blue", 2).await;
    wait_for(&env, "bluegreen_failures_total", "blue", 0).await;
}

#[tokio::test]
async fn error_events_count_in_each_profile() {
    for profile in ["full", "signalled", "lean"] {
        let rollout = rollout("demo", json!({ "stream": stream() }));
        let config = json!({ "profile": profile, "rollouts": [rollout] });
        let env = env_with(config, |envoy| envoy).await;
        for client in both(&env) {
            client.send(events(WHOLE)).await;
            client.send(events(ERROR)).await;
        }
        wait_for(&env, "bluegreen_failures_total", "blue", 2).await;
        wait_for(&env, "bluegreen_stream_ms_count", "blue", 4).await;
        wait_for(&env, "bluegreen_first_chunk_ms_count", "blue", 4).await;
    }
}
