//! Configurations and requests.

use serde_json::{Value, json};
use testbed::{Client, EnvoyBuilder, Request, TestEnv, get, with};

pub const BODIES: &str = "proxy_on_response_body";

/// Both parts of `stream`.
pub fn stream() -> Value {
    json!({ "first_chunk": true, "sse_errors": true })
}

/// A rollout whose users have blue, with these fields beside or instead of the usual.
pub fn rollout(name: &str, fields: Value) -> Value {
    let rollout = json!({
        "name": name,
        "clusters": { "blue": "blue", "green": "green" },
        "weights": { "blue": 100, "green": 0 },
        "sticky": [{ "header": "x-user-id" }],
    });
    with(rollout, fields)
}

/// Envoy that hands bodies of responses to the filter, with one rollout called `demo`.
pub async fn env(fields: Value) -> TestEnv {
    env_with(json!({ "rollouts": [rollout("demo", fields)] }), |envoy| {
        envoy
    })
    .await
}

pub async fn env_with(
    config: Value,
    options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder,
) -> TestEnv {
    TestEnv::start_with(|envoy| options(envoy.config(config).allow(BODIES))).await
}

/// A request that is answered with server-sent events in these pieces.
pub fn events(pieces: &[&str]) -> Request {
    paced_events(pieces, 20)
}

/// The same, so many milliseconds apart.
pub fn paced_events(pieces: &[&str], ms: u32) -> Request {
    let request = in_pieces(pieces).header("x-test-chunk-delay-ms", ms.to_string());
    let content_type = "content-type: text/event-stream; charset=utf-8";
    request.header("x-test-response-header", content_type)
}

/// A request that is answered with a body of these pieces.
pub fn in_pieces(pieces: &[&str]) -> Request {
    let piece = |request: Request, piece: &&str| request.header("x-test-piece", piece);
    pieces.iter().fold(get("/"), piece)
}

pub fn both(env: &TestEnv) -> [Client; 2] {
    [env.http1(), env.http2()]
}

/// Waits until a metric of the rollout `demo` stands at just this.
pub async fn wait_for(env: &TestEnv, name: &str, color: &str, value: u64) {
    let labels = [("rollout", "demo"), ("color", color)];
    env.envoy
        .wait_for_metric(name, &labels, |n| n == value as f64)
        .await;
}
