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

/// A bed whose guard has begun to look.
pub async fn watched(
    profile: &str,
    rollout: Value,
    options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder,
) -> TestEnv {
    let config = config(profile, rollout);
    let bed = TestEnv::start_with(|envoy| options(envoy.config(config))).await;
    wait_for_state(&bed, 1).await;
    bed
}

/// Waits for a state of the guard: 0 watching, 1 too few requests to judge, 2 tripped.
pub async fn wait_for_state(bed: &TestEnv, state: u64) {
    wait_for_count(bed, STATE, &[], state).await;
}

/// How often the guard of `demo` has tripped.
pub async fn trips(bed: &TestEnv) -> f64 {
    let demo = [("rollout", "demo")];
    bed.envoy.metrics().await.get(TRIPS, &demo)
}

/// Waits for the first rollback of `demo`: it is counted and logged once, and each worker sends those to
/// blue who had green. Gives back what the log says of it.
pub async fn wait_for_rollback(bed: &TestEnv, cause: &str) -> String {
    wait_for_count(bed, TRIPS, &[("cause", cause)], 1).await;
    wait_for_state(bed, 2).await;
    for upstream in [&bed.blue, &bed.green] {
        upstream.set(Behavior::default());
    }
    assert_rolled_back(bed).await;
    bed.envoy.wait_for_log(ROLLED_BACK).await
}

/// The rollback of `demo` holds, and there was one.
pub async fn assert_rolled_back(bed: &TestEnv) {
    bed.wait_until_served_by("blue", &to_green()).await;
    wait_for_state(bed, 2).await;
    for (color, weight) in COLORS.into_iter().zip([100_000, 0]) {
        let color = [("color", color)];
        wait_for_count(bed, "bluegreen_weight_millipercent", &color, weight).await;
    }
    assert_eq!(trips(bed).await, 1.0);
    assert_eq!(logged(bed, ROLLED_BACK), 1);
}
