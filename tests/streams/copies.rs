//! Streams that the canary answers copies of requests with.

use serde_json::json;
use testbed::{Behavior, TestEnv};

use crate::common::{env, events, stream, wait_for};

/// Waits until copies have this stat.
async fn wait_for_copies(env: &TestEnv, name: &str, value: u64) {
    wait_for(env, &format!("bluegreen_shadow_{name}"), "green", value).await;
}

#[tokio::test]
async fn streams_of_copies_are_judged_and_shown_apart() {
    let guard =
        json!({ "window": "60s", "min_requests": 20, "slow_after": "1s", "max_slow_rate": 50 });
    let env =
        env(json!({ "shadow": { "percent": 100 }, "stream": stream(), "guard": guard })).await;
    env.green.set(Behavior {
        first_chunk_delay: std::time::Duration::from_millis(1_500),
        ..Behavior::default()
    });
    let client = env.http1();
    client.send(events(&["event: error\\n\\n"])).await;
    wait_for_copies(&env, "first_chunk_ms_count", 1).await;
    wait_for_copies(&env, "stream_ms_count", 1).await;
    wait_for_copies(&env, "failures_total", 1).await;
    wait_for(&env, "bluegreen_guard_slow_total", "green", 1).await;
    wait_for(&env, "bluegreen_first_chunk_ms_count", "blue", 1).await;
    wait_for(&env, "bluegreen_first_chunk_ms_count", "green", 0).await;
    wait_for(&env, "bluegreen_guard_slow_total", "blue", 0).await;
}
