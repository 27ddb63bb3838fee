//! gRPC streams of tokens.

use serde_json::json;
use testbed::{Behavior, post};

use crate::common::{env, env_with, rollout, stream, wait_for};

const BLUE: [(&str, &str); 2] = [("rollout", "demo"), ("color", "blue")];

#[tokio::test]
async fn messages_of_a_grpc_stream_are_timed_and_counted() {
    let env = env(json!({ "stream": stream() })).await;
    env.blue.set(Behavior {
        chunks: 4,
        first_chunk_delay: std::time::Duration::from_millis(400),
        chunk_delay: std::time::Duration::from_millis(100),
        ..Behavior::default()
    });
    let reply = env.grpc().watch("tokens", &[]).await;
    assert_eq!((reply.code, reply.messages), (testbed::Code::Ok, 4));
    wait_for(&env, "bluegreen_stream_ms_count", "blue", 1).await;
    let metrics = env.envoy.metrics().await;
    let sum = |name| metrics.histogram_sum(name, &BLUE);
    assert!(sum("bluegreen_first_chunk_ms") - sum("bluegreen_response_start_ms") > 300.0);
    assert!(sum("bluegreen_stream_ms") > 225.0);
    let chunks = metrics.get("bluegreen_chunks_total", &BLUE);
    assert!((2.0..=4.0).contains(&chunks), "{chunks}");
    wait_for(&env, "bluegreen_failures_total", "blue", 0).await;
}

#[tokio::test]
async fn a_grpc_stream_that_ends_without_a_status_has_failed() {
    let config = json!({ "rollouts": [rollout("demo", json!({ "stream": stream() }))] });
    // A worker has to know that it sees statuses.
    let env = env_with(config, |envoy| envoy.concurrency(1)).await;
    env.grpc().watch("stream-ok", &[]).await;
    let call = post("/grpc.health.v1.Health/Watch", "")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-test-plain", "1")
        .header("x-test-response-header", "content-type: application/grpc");
    let response = env.http2().send(call).await;
    assert_eq!((response.status, response.cut), (200, false));
    wait_for(&env, "bluegreen_responses_total", "blue", 2).await;
    wait_for(&env, "bluegreen_failures_total", "blue", 1).await;
}
