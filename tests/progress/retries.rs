//! Retries do not hide a broken canary.

use serde_json::{Value, json};
use testbed::{Behavior, TestEnv};

use crate::common::as_user;
use crate::guarded::{
    Watched, green_user, guarded, trips, wait_for_rollback, wait_for_state, watched_with,
};

/// Envoy retries what fails up to three times.
async fn retrying(config: Value) -> Watched {
    let policy = "timeout: 15s\n                  retry_policy: { retry_on: 5xx, num_retries: 3 }";
    watched_with(config, |envoy| envoy.edit_bootstrap("timeout: 15s", policy)).await
}

/// Sends requests one by one, since Envoy retries few at a time, and says how many failed.
async fn failed_of(env: &TestEnv, count: u32) -> u32 {
    let client = env.http1();
    let mut failed = 0;
    for _ in 0..count {
        let response = client.send(as_user(&green_user())).await;
        failed += u32::from(response.status != 200);
    }
    failed
}

async fn total(env: &TestEnv, name: &str) -> f64 {
    let demo = [("rollout", "demo"), ("color", "green")];
    env.envoy.metrics().await.get(name, &demo)
}

#[tokio::test]
async fn a_canary_whose_failures_are_retried_is_rolled_back() {
    let env = retrying(guarded(json!({ "max_error_rate": 5 }))).await;
    env.green.set_percent(20.0, Behavior::status(500));
    // No client sees a failure.
    assert_eq!(failed_of(&env, 100).await, 0);
    wait_for_rollback(&env, "blue", "error_rate").await;
}

#[tokio::test]
async fn retries_that_do_not_count_are_shown_alone() {
    let guard = json!({ "max_error_rate": 5, "count_retries": false });
    let env = retrying(guarded(guard)).await;
    env.green.set_percent(20.0, Behavior::status(500));
    assert_eq!(failed_of(&env, 100).await, 0);
    wait_for_state(&env, 0).await;
    assert_eq!(trips(&env).await, 0.0);
    // Each attempt that fails is followed by one that does not.
    let retried = env.green.count() - 100;
    assert!(retried > 15, "{retried}");
    assert_eq!(total(&env, "bluegreen_retried_total").await, retried as f64);
    assert_eq!(total(&env, "bluegreen_failures_total").await, 0.0);
}

#[tokio::test]
async fn a_request_that_fails_after_all_its_retries_is_one_failure() {
    let env = retrying(guarded(json!({ "max_error_rate": 99 }))).await;
    env.green.set(Behavior::status(500));
    assert_eq!(failed_of(&env, 10).await, 10);
    assert_eq!(env.green.count(), 40);
    let labels = [("rollout", "demo"), ("color", "green")];
    let is_ten = |count| count == 10.0;
    for name in ["bluegreen_retried_total", "bluegreen_failures_total"] {
        env.envoy.wait_for_metric(name, &labels, is_ten).await;
    }
}

#[tokio::test]
async fn good_requests_are_not_retried() {
    let env = retrying(guarded(json!({ "max_error_rate": 5 }))).await;
    assert_eq!(failed_of(&env, 50).await, 0);
    wait_for_state(&env, 0).await;
    assert_eq!(total(&env, "bluegreen_retried_total").await, 0.0);
}
