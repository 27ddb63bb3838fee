//! When the guard trips, and when not.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Behavior, PATIENCE, eventually, get};

use crate::common::{
    as_user, client_per_worker, config, rollout, served_by, wait_for_responses, weights,
};
use crate::guarded::{
    blue_user, green_user, guarded, look, rollbacks_logged, send, trips, wait_for_rollback,
    wait_for_state, watched, with_guard,
};

#[tokio::test]
async fn green_that_fails_always_is_rolled_back() {
    let env = watched(guarded(json!({ "max_error_rate": 5 }))).await;
    env.green.set(Behavior::status(500));
    send(&env, &green_user(), 20).await;
    wait_for_rollback(&env, "blue", "error_rate").await;
    let figures = "to blue: error_rate is beyond 5 %: 20 of 20 requests, stable 0 of 0";
    assert_eq!(rollbacks_logged(&env), [figures]);
}

#[tokio::test]
async fn green_that_fails_half_the_time_is_rolled_back() {
    let env = watched(guarded(json!({ "max_error_rate": 49.9 }))).await;
    env.green.set_percent(50.0, Behavior::status(503));
    send(&env, &green_user(), 20).await;
    wait_for_rollback(&env, "blue", "error_rate").await;
}

/// Of the first hundred requests, on green alone.
fn limited_to_five_percent() -> Value {
    guarded(json!({ "min_requests": 100, "max_error_rate": 5 }))
}

#[tokio::test]
async fn five_percent_keep_a_limit_of_five() {
    let env = watched(limited_to_five_percent()).await;
    env.green.set_percent(5.0, Behavior::status(500));
    assert_eq!(send(&env, &green_user(), 100).await.failed(), 5);
    wait_for_state(&env, 0).await;
    look(&env).await;
    assert_eq!(trips(&env).await, 0.0);
}

#[tokio::test]
async fn six_percent_break_a_limit_of_five() {
    let env = watched(limited_to_five_percent()).await;
    env.green.set_percent(6.0, Behavior::status(500));
    assert_eq!(send(&env, &green_user(), 100).await.failed(), 6);
    wait_for_rollback(&env, "blue", "error_rate").await;
    let figures = "to blue: error_rate is beyond 5 %: 6 of 100 requests, stable 0 of 0";
    assert_eq!(rollbacks_logged(&env), [figures]);
}

#[tokio::test]
async fn too_few_requests_are_not_judged() {
    let env = watched(guarded(
        json!({ "max_error_rate": 0, "max_error_rate_over_stable": 0 }),
    ))
    .await;
    env.green.set(Behavior::status(500));
    assert_eq!(send(&env, &green_user(), 19).await.failed(), 19);
    wait_for_responses(&env, "demo", 19).await;
    look(&env).await;
    wait_for_state(&env, 1).await;
    assert_eq!(trips(&env).await, 0.0);
    assert_eq!(
        served_by(&env.http1(), as_user(&green_user())).await,
        "green"
    );
    // That was the twentieth.
    wait_for_rollback(&env, "blue", "error_rate").await;
}

#[tokio::test]
async fn what_has_left_the_window_counts_no_more() {
    let env = watched(guarded(json!({ "window": "3s", "max_error_rate": 50 }))).await;
    send(&env, &green_user(), 200).await;
    wait_for_state(&env, 0).await;
    wait_for_state(&env, 1).await;
    env.green.set(Behavior::status(500));
    // Together with those before, they were 23 %.
    send(&env, &green_user(), 60).await;
    wait_for_rollback(&env, "blue", "error_rate").await;
}

#[tokio::test]
async fn blue_as_bad_as_green_does_not_break_a_limit_over_stable() {
    let env = watched(guarded(json!({ "max_error_rate_over_stable": 2 }))).await;
    for upstream in [&env.blue, &env.green] {
        upstream.set_percent(50.0, Behavior::status(500));
    }
    for user in [green_user(), blue_user()] {
        assert_eq!(send(&env, &user, 100).await.failed(), 50);
    }
    wait_for_state(&env, 0).await;
    look(&env).await;
    assert_eq!(trips(&env).await, 0.0);
}

#[tokio::test]
async fn green_worse_than_blue_breaks_a_limit_over_stable() {
    let env = watched(guarded(json!({ "max_error_rate_over_stable": 2 }))).await;
    env.blue.set_percent(10.0, Behavior::status(500));
    env.green.set_percent(50.0, Behavior::status(500));
    for user in [blue_user(), green_user()] {
        send(&env, &user, 100).await;
    }
    wait_for_rollback(&env, "blue", "error_rate_over_stable").await;
}

#[tokio::test]
async fn a_limit_over_stable_needs_requests_on_stable_too() {
    let env = watched(guarded(json!({ "max_error_rate_over_stable": 2 }))).await;
    env.green.set(Behavior::status(500));
    send(&env, &green_user(), 100).await;
    send(&env, &blue_user(), 19).await;
    wait_for_responses(&env, "demo", 119).await;
    look(&env).await;
    assert_eq!(trips(&env).await, 0.0);
    send(&env, &blue_user(), 1).await;
    wait_for_rollback(&env, "blue", "error_rate_over_stable").await;
}

#[tokio::test]
async fn blue_as_slow_as_green_does_not_break_a_limit_over_stable() {
    let slow = json!({ "min_requests": 8, "slow_after": "50ms", "max_slow_rate_over_stable": 10 });
    let env = watched(guarded(slow)).await;
    for upstream in [&env.blue, &env.green] {
        upstream.set(Behavior::slow(Duration::from_millis(100)));
    }
    for user in [green_user(), blue_user()] {
        send(&env, &user, 12).await;
    }
    wait_for_state(&env, 0).await;
    look(&env).await;
    assert_eq!(trips(&env).await, 0.0);

    env.blue.set(Behavior::default());
    send(&env, &blue_user(), 400).await;
    wait_for_rollback(&env, "blue", "slow_rate_over_stable").await;
}

#[tokio::test]
async fn a_slow_request_counts_once() {
    let slow = json!({ "slow_after": "50ms", "max_slow_rate": 10 });
    let env = watched(guarded(slow)).await;
    env.green.set(Behavior::slow(Duration::from_millis(600)));
    // Each counts while it waits, and not again at its end.
    send(&env, &green_user(), 19).await;
    wait_for_responses(&env, "demo", 19).await;
    look(&env).await;
    wait_for_state(&env, 1).await;
    assert_eq!(trips(&env).await, 0.0);
    send(&env, &green_user(), 1).await;
    wait_for_rollback(&env, "blue", "slow_rate").await;
}

#[tokio::test]
async fn a_worker_without_green_traffic_learns_of_the_rollback() {
    let env = watched(guarded(json!({ "max_error_rate": 5 }))).await;
    let [busy, idle] = client_per_worker(&env).await;
    env.green.set(Behavior::status(500));
    for _ in 0..20 {
        assert_eq!(served_by(&busy, as_user(&green_user())).await, "green");
    }
    let learnt = || async {
        match served_by(&idle, as_user(&green_user())).await {
            color if color == "blue" => Ok(()),
            color => Err(color),
        }
    };
    wait_for_state(&env, 2).await;
    eventually("the other worker learns of the rollback", PATIENCE, learnt).await;
    wait_for_rollback(&env, "blue", "error_rate").await;
}

#[tokio::test]
async fn with_stable_green_blue_is_watched() {
    let guard = with_guard(json!({ "max_error_rate": 5 }));
    let env = watched(config(json!({ "stable": "green", "guard": guard }))).await;
    env.green.set(Behavior::status(500));
    send(&env, &green_user(), 40).await;
    wait_for_responses(&env, "demo", 40).await;
    look(&env).await;
    assert_eq!(trips(&env).await, 0.0);

    env.green.set(Behavior::default());
    env.blue.set(Behavior::status(500));
    send(&env, &blue_user(), 20).await;
    wait_for_rollback(&env, "green", "error_rate").await;
}

#[tokio::test]
async fn a_rollback_is_of_one_rollout_alone() {
    let guard = with_guard(json!({ "max_error_rate": 5 }));
    let other =
        json!({ "match": { "path_prefix": "/other" }, "guard": guard, "weights": weights(100) });
    let mut policy = guarded(json!({ "max_error_rate": 5 }));
    policy["rollouts"]
        .as_array_mut()
        .expect("rollouts")
        .push(rollout("other", other));
    let env = watched(policy).await;
    env.green.set(Behavior::status(500));
    send(&env, &green_user(), 20).await;
    wait_for_rollback(&env, "blue", "error_rate").await;
    for _ in 0..20 {
        let client = env.http1().connection_per_request();
        assert_eq!(served_by(&client, get("/other")).await, "green");
    }
}
