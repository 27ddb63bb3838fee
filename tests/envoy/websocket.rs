//! WebSockets: decided when they open, counted when they close.

use serde_json::json;
use testbed::{TestEnv, get};

use crate::common::config;
use crate::counts::assert_counts;

#[tokio::test]
async fn a_websocket_counts_once_when_it_closes() {
    let env = TestEnv::start(config(0, json!([]))).await;
    let mut socket = env.websocket(get("/socket")).await;
    assert_eq!(socket.headers["x-served-by"], "blue");
    for text in ["hello", "again"] {
        assert_eq!(socket.echo(text).await, text);
    }
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get("bluegreen_in_flight", &[]), 1.0);
    assert_eq!(metrics.get("bluegreen_responses_total", &[]), 0.0);
    socket.close().await;
    assert_counts(&env, &[("1xx", 1)], 0).await;
}

#[tokio::test]
async fn a_websocket_follows_its_key_and_outlives_a_push() {
    let env = TestEnv::start(config(100_000, json!([]))).await;
    let mut socket = env.websocket(get("/socket")).await;
    assert_eq!(socket.headers["x-served-by"], "green");
    env.push(config(0, json!([]))).await;
    assert_eq!(socket.echo("still here").await, "still here");
    let other = env.websocket(get("/socket")).await;
    assert_eq!(other.headers["x-served-by"], "blue");
    socket.close().await;
    other.close().await;
    assert_counts(&env, &[("1xx", 2)], 0).await;
}
