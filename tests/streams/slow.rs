//! A response is slow by its first token.

use serde_json::{Value, json};
use testbed::{Behavior, Ending, Load, get};

use crate::common::{env, env_with, rollout, stream, wait_for};

fn guard(slow_after: &str) -> Value {
    json!({ "window": "60s", "min_requests": 20, "slow_after": slow_after, "max_slow_rate": 50 })
}

/// The headers come at once, and the first token never.
fn silent() -> Behavior {
    Behavior {
        chunks: 0,
        ..Behavior::ending(Ending::StallBody)
    }
}

#[tokio::test]
async fn a_request_that_waits_for_its_first_token_becomes_slow_while_it_waits() {
    let untimed = json!({ "match": { "path_prefix": "/untimed" }, "guard": guard("1s") });
    let timed = json!({ "guard": guard("1s"), "stream": stream() });
    let rollouts = [rollout("demo", timed), rollout("untimed", untimed)];
    let env = env_with(json!({ "rollouts": rollouts }), |envoy| {
        envoy.concurrency(1)
    })
    .await;
    let client = env.http1();
    client.send(get("/")).await;
    env.blue.set(silent());
    let waiting = ["/", "/untimed"].map(|path| {
        let client = client.clone();
        tokio::spawn(async move { client.send(get(path)).await })
    });
    wait_for(&env, "bluegreen_guard_slow_total", "blue", 1).await;
    wait_for(&env, "bluegreen_guard_finished_total", "blue", 1).await;
    let metrics = env.envoy.metrics().await;
    assert_eq!(
        metrics.get("bluegreen_guard_slow_total", &[("rollout", "untimed")]),
        0.0
    );
    waiting.iter().for_each(|it| it.abort());
}

#[tokio::test]
async fn a_stream_that_goes_on_for_long_is_not_slow() {
    let env = env(json!({ "guard": guard("2s"), "stream": stream() })).await;
    let request = get("/")
        .header("x-test-chunks", "2")
        .header("x-test-chunk-delay-ms", "3000");
    env.http1().send(request).await;
    env.http1()
        .send(get("/").header("x-test-chunks", "0"))
        .await;
    wait_for(&env, "bluegreen_guard_finished_total", "blue", 2).await;
    wait_for(&env, "bluegreen_guard_slow_total", "blue", 0).await;
}

#[tokio::test]
async fn a_canary_that_is_slow_to_its_first_token_is_rolled_back() {
    let fields = json!({
        "weights": { "blue": 50, "green": 50 }, "guard": guard("1s"), "stream": { "first_chunk": true },
    });
    let env = env(fields).await;
    env.green.set(Behavior {
        first_chunk_delay: std::time::Duration::from_millis(1_500),
        ..Behavior::default()
    });
    let load = Load::to(env.envoy.addr())
        .connections(20)
        .start(|i| get("/").header("x-user-id", format!("user-{i}")));
    let labels = [("rollout", "demo"), ("cause", "slow_rate")];
    env.envoy
        .wait_for_metric("bluegreen_guard_trips_total", &labels, |n| n == 1.0)
        .await;
    let report = load.stop().await;
    assert_eq!(report.failed(), 0);
}
