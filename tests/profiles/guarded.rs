//! Rollouts with a guard, and what comes of it.

use serde_json::{Value, json};
use testbed::{Behavior, EnvoyBuilder, TestEnv, with};

use crate::common::{COLORS, config, logged, to_green, wait_for_count};

const STATE: &str = "bluegreen_guard_state";
const TRIPS: &str = "bluegreen_guard_trips_total";

/// What the log says of a rollback of `demo`.
const ROLLED_BACK: &str = "rollout demo: rolled back to blue";

/// The fields of a rollout with a guard that looks far back and needs 20 requests, with these fields
/// beside or instead of its own.
pub fn guard(fields: Value) -> Value {
    let guard = json!({ "window": "10m", "min_requests": 20 });
    json!({ "guard": with(guard, fields) })
}

/// A guard that counts, and has never enough to judge.
pub fn counting() -> Value {
    guard(json!({ "min_requests": 1_000_000, "max_error_rate": 100 }))
}

/// An environment whose guard has begun to look.
pub async fn watched(
    profile: &str,
    rollout: Value,
    options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder,
) -> TestEnv {
    let config = config(profile, rollout);
    let env = TestEnv::start_with(|envoy| options(envoy.config(config))).await;
    wait_for_state(&env, 1).await;
    env
}

/// Waits for a state of the guard: 0 watching, 1 too few requests to judge, 2 tripped.
pub async fn wait_for_state(env: &TestEnv, state: u64) {
    wait_for_count(env, STATE, &[], state).await;
}

/// How often the guard of `demo` has tripped.
pub async fn trips(env: &TestEnv) -> f64 {
    let demo = [("rollout", "demo")];
    env.envoy.metrics().await.get(TRIPS, &demo)
}

/// Waits for the first rollback of `demo`: it is counted and logged once, and each worker sends those to
/// blue who had green. Gives back what the log says of it.
pub async fn wait_for_rollback(env: &TestEnv, cause: &str) -> String {
    wait_for_count(env, TRIPS, &[("cause", cause)], 1).await;
    wait_for_state(env, 2).await;
    for upstream in [&env.blue, &env.green] {
        upstream.set(Behavior::default());
    }
    assert_rolled_back(env).await;
    env.envoy.wait_for_log(ROLLED_BACK).await
}

/// The rollback of `demo` holds, and there was one.
pub async fn assert_rolled_back(env: &TestEnv) {
    env.wait_until_served_by("blue", &to_green()).await;
    wait_for_state(env, 2).await;
    for (color, weight) in COLORS.into_iter().zip([100_000, 0]) {
        let color = [("color", color)];
        wait_for_count(env, "bluegreen_weight_millipercent", &color, weight).await;
    }
    assert_eq!(trips(env).await, 1.0);
    assert_eq!(logged(env, ROLLED_BACK), 1);
}
