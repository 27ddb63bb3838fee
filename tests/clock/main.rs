//! A wall clock that steps while requests are under way. The clock of Envoy's timers goes on as it did.

#[path = "../hostile/common.rs"]
#[allow(dead_code)]
mod common;
mod stepped;

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use testbed::{Behavior, TestEnv, Upload, get};

use common::{config, guard, look, rollout, send, trips, wait_for_rollback, watched};
use stepped::Clock;

const HANGING: u64 = 60;

/// An Envoy that goes by this clock. A rollout `ahead` tells when it is half a minute ahead.
async fn watched_by(clock: &Clock, config: Value) -> (TestEnv, Value) {
    let mut config = config;
    let start = SystemTime::now() + Duration::from_secs(30);
    let ramp = json!({
        "start": humantime::format_rfc3339_seconds(start).to_string(),
        "steps": [{ "weight": 100 }],
    });
    let weights = json!({ "blue": 100, "green": 0 });
    let fields = json!({ "match": { "path_prefix": "/ahead" }, "weights": weights, "ramp": ramp });
    let rollouts = config["rollouts"].as_array_mut().expect("rollouts");
    rollouts.insert(0, rollout("ahead", fields));
    let env = watched(config.clone(), |envoy| clock.of(envoy)).await;
    (env, config)
}

async fn wait_for_weight_ahead(env: &TestEnv, expected: f64) {
    let green = [("rollout", "ahead"), ("color", "green")];
    let is_right = |weight| weight == expected;
    env.envoy
        .wait_for_metric("bluegreen_weight_millipercent", &green, is_right)
        .await;
}

async fn hang(env: &TestEnv) -> Vec<Upload> {
    let client = env.http2();
    let hanging = get("/").header("x-test-hang", "1");
    let under_way = (0..HANGING)
        .map(|_| client.complete(hanging.clone()))
        .collect();
    env.green.wait_for_count(HANGING).await;
    under_way
}

#[tokio::test]
async fn a_clock_that_steps_forward_makes_no_request_slow() {
    let limits = json!({ "max_error_rate": 5, "slow_after": "50s", "max_slow_rate": 5 });
    let clock = Clock::new();
    let (env, config) = watched_by(&clock, config(json!({ "guard": guard(limits) }))).await;
    let under_way = hang(&env).await;
    wait_for_weight_ahead(&env, 0.0).await;
    clock.step_to(60);
    wait_for_weight_ahead(&env, 100_000.0).await;
    look(&env, config).await;
    assert_eq!(trips(&env).await, 0.0);
    drop(under_way);
    // Nor does it blind the guard.
    env.green.set(Behavior::status(500));
    send(&env, 20, get("/"), 500).await;
    wait_for_rollback(&env, "error_rate").await;
}

/// Still so, where the requests that were under way are answered after it.
#[tokio::test]
async fn a_clock_that_steps_forward_makes_no_response_slow() {
    let limits = json!({ "slow_after": "50s", "max_slow_rate": 5 });
    let clock = Clock::new();
    let (env, config) = watched_by(&clock, config(json!({ "guard": guard(limits) }))).await;
    let client = env.http2();
    let uploads: Vec<Upload> = (0..HANGING)
        .map(|_| client.complete(get("/").header("x-test-delay-ms", "4000")))
        .collect();
    env.green.wait_for_count(HANGING).await;
    clock.step_to(60);
    wait_for_weight_ahead(&env, 100_000.0).await;
    for upload in uploads {
        assert_eq!(upload.answer().await.status, 200);
    }
    look(&env, config).await;
    assert_eq!(trips(&env).await, 0.0);
}

#[tokio::test]
async fn a_clock_that_steps_back_hides_no_slow_request() {
    let limits = json!({ "slow_after": "3s", "max_slow_rate": 5 });
    let clock = Clock::new();
    let (env, _) = watched_by(&clock, config(json!({ "guard": guard(limits) }))).await;
    let under_way = hang(&env).await;
    clock.step_to(-60);
    wait_for_rollback(&env, "slow_rate").await;
    drop(under_way);
}
