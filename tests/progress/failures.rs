//! What the guard counts as failed or slow, and what it does not.

use std::time::Duration;

use serde_json::json;
use testbed::{Behavior, Client, Ending, TestEnv, get};

use crate::common::{as_user, user_from, wait_for_responses};
use crate::guarded::{
    Watched, green_user, guarded, look, send, trips, wait_for_rollback, wait_for_state, watched,
    watched_with,
};

const SLOW: Duration = Duration::from_millis(150);

fn failures_limited() -> serde_json::Value {
    guarded(json!({ "max_error_rate": 5 }))
}

async fn failures(env: &TestEnv) -> f64 {
    let demo = [("rollout", "demo")];
    env.envoy
        .metrics()
        .await
        .get("bluegreen_failures_total", &demo)
}

#[tokio::test]
async fn resets_before_the_response_are_failures() {
    let env = watched(failures_limited()).await;
    env.green.set(Behavior::ending(Ending::CloseBefore));
    let report = send(&env, &green_user(), 20).await;
    assert_eq!(report.by_status(), [(503, 20)].into());
    wait_for_rollback(&env, "blue", "error_rate").await;
    assert_eq!(failures(&env).await, 20.0);
}

#[tokio::test]
async fn bodies_that_break_off_are_failures() {
    let env = watched(failures_limited()).await;
    env.green.set(Behavior::ending(Ending::CloseMiddle));
    let report = send(&env, &green_user(), 20).await;
    assert_eq!(
        (report.by_status(), report.failed()),
        ([(200, 20)].into(), 20)
    );
    wait_for_rollback(&env, "blue", "error_rate").await;
    assert_eq!(failures(&env).await, 20.0);
}

#[tokio::test]
async fn timeouts_of_the_route_are_failures() {
    let env = watched_with(failures_limited(), |envoy| {
        envoy.edit_bootstrap("timeout: 15s", "timeout: 0.2s")
    })
    .await;
    env.green.set(Behavior::ending(Ending::Hang));
    let report = send(&env, &green_user(), 10).await;
    assert_eq!(report.by_status(), [(504, 10)].into());
    // After its 200 a response is cut off.
    env.green.set(Behavior::ending(Ending::StallBody));
    let report = send(&env, &green_user(), 10).await;
    assert_eq!(
        (report.by_status(), report.failed()),
        ([(200, 10)].into(), 10)
    );
    wait_for_rollback(&env, "blue", "error_rate").await;
    assert_eq!(failures(&env).await, 20.0);
}

#[tokio::test]
async fn other_statuses_are_no_failures() {
    let env = watched(guarded(json!({ "min_requests": 1, "max_error_rate": 0 }))).await;
    let client = env.http1();
    let statuses = ["200", "204", "302", "400", "404", "429", "499"];
    for status in statuses {
        client
            .send(as_user(&green_user()).header("x-test-status", status))
            .await;
    }
    wait_for_responses(&env, "demo", statuses.len() as u64).await;
    look(&env).await;
    wait_for_state(&env, 0).await;
    assert_eq!((trips(&env).await, failures(&env).await), (0.0, 0.0));
}

#[tokio::test]
async fn late_responses_are_slow() {
    let limits = json!({ "slow_after": "50ms", "max_slow_rate": 20 });
    let env = watched(guarded(limits)).await;
    env.green.set_percent(50.0, Behavior::slow(SLOW));
    send(&env, &green_user(), 20).await;
    wait_for_rollback(&env, "blue", "slow_rate").await;
    assert_eq!(failures(&env).await, 0.0);
}

#[tokio::test]
async fn a_long_body_is_not_slow() {
    let limits = json!({ "min_requests": 4, "slow_after": "2s", "max_slow_rate": 0 });
    let env = watched(guarded(limits)).await;
    let request = as_user(&green_user())
        .header("x-test-chunks", "6")
        .header("x-test-chunk-delay-ms", "500");
    let client = env.http2();
    let long = || client.send(request.clone());
    tokio::join!(long(), long(), long(), long());
    wait_for_responses(&env, "demo", 4).await;
    look(&env).await;
    wait_for_state(&env, 0).await;
    assert_eq!(trips(&env).await, 0.0);
}

#[tokio::test]
async fn green_that_hangs_is_noticed_while_its_requests_wait() {
    let limits = json!({ "min_requests": 4, "slow_after": "300ms", "max_slow_rate": 20 });
    let env = watched(guarded(limits)).await;
    let client = env.http1();
    let hang = || {
        let request = as_user(&green_user()).header("x-test-hang", "1");
        client.leave_before_response(request, std::future::pending())
    };
    let noticed = async {
        wait_for_state(&env, 2).await;
        let green = [("rollout", "demo"), ("color", "green")];
        let metrics = env.envoy.metrics().await;
        assert_eq!(metrics.get("bluegreen_in_flight", &green), 4.0);
        assert_eq!(metrics.get("bluegreen_responses_total", &green), 0.0);
        wait_for_rollback(&env, "blue", "slow_rate").await;
    };
    tokio::select! {
        () = noticed => {}
        _ = async { tokio::join!(hang(), hang(), hang(), hang()) } => unreachable!("they hang"),
    }
}

/// Requests that a client leaves, half of them over HTTP/1.1, half over HTTP/2.
async fn leave(env: &TestEnv, how: impl AsyncFn(Client)) {
    for round in 0..10 {
        how(env.http1()).await;
        how(env.http2()).await;
        wait_for_responses(env, "demo", (round + 1) * 2).await;
    }
}

#[tokio::test]
async fn clients_that_leave_before_the_response_do_not_count() {
    let limits = json!({ "min_requests": 1, "max_error_rate": 0, "max_error_rate_over_stable": 0,
        "slow_after": "20s", "max_slow_rate": 0 });
    let env = watched(guarded(limits)).await;
    leave(&env, async |client| {
        let arrived = env.green.wait_for_count(env.green.count() + 1);
        let request = as_user(&green_user()).header("x-test-hang", "1");
        client.leave_before_response(request, arrived).await;
    })
    .await;
    assert_left_uncounted(&env, "none").await;
}

#[tokio::test]
async fn clients_that_leave_in_the_body_do_not_count() {
    let env = watched(guarded(json!({ "min_requests": 1, "max_error_rate": 0 }))).await;
    leave(&env, async |client| {
        let request = as_user(&green_user())
            .header("x-test-chunks", "100000")
            .header("x-test-chunk-delay-ms", "5");
        client.leave_in_body(request).await;
    })
    .await;
    assert_left_uncounted(&env, "2xx").await;
}

/// The guard knows of no request, and still works.
async fn assert_left_uncounted(env: &Watched, code_class: &str) {
    look(env).await;
    wait_for_state(env, 1).await;
    assert_eq!((trips(env).await, failures(env).await), (0.0, 0.0));
    let labels = [("rollout", "demo"), ("code_class", code_class)];
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get("bluegreen_responses_total", &labels), 20.0);
    env.http1()
        .send(as_user(&green_user()).header("x-test-status", "500"))
        .await;
    wait_for_rollback(env, "blue", "error_rate").await;
}

#[tokio::test]
async fn requests_that_no_rollout_matches_do_not_count() {
    let mut policy = failures_limited();
    policy["rollouts"][0]["match"] = json!({ "hosts": ["shop.example"] });
    let env = watched(policy).await;
    env.blue.set(Behavior::status(500));
    for _ in 0..30 {
        let response = env
            .http1()
            .send(get("/").header("x-user-id", user_from(1)))
            .await;
        assert_eq!(response.status, 500);
    }
    look(&env).await;
    assert_eq!((trips(&env).await, failures(&env).await), (0.0, 0.0));
}
