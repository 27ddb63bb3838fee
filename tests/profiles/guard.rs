//! The guard where the profile is `lean`, and Envoy set up for it.

use serde_json::{Value, json};
use testbed::{Behavior, Client, Ending, Load, TestEnv};

use crate::common::{
    NO_RESPONSES, NOT_SIGNALLED, as_user, both, failing, logged, to_green, user_of, wait_for_count,
    wait_for_suspects, without_responses,
};
use crate::guarded::{guard, trips, wait_for_rollback, wait_for_state, watched};

async fn lean(limits: Value) -> TestEnv {
    watched("lean", guard(limits), without_responses).await
}

/// So many requests of one user, over several connections.
async fn send(env: &TestEnv, user: String, count: u64) {
    Load::to(env.envoy.addr())
        .count(count)
        .run(move |_| as_user(&user))
        .await;
}

#[tokio::test]
async fn green_that_fails_everything_is_rolled_back() {
    let failures = [
        Behavior::status(500),
        Behavior::ending(Ending::CloseBefore),
        Behavior::ending(Ending::CloseMiddle),
    ];
    for failure in failures {
        let env = lean(json!({ "max_error_rate": 5 })).await;
        env.green.set(failure.clone());
        send(&env, user_of("green"), 20).await;
        let line = wait_for_rollback(&env, "error_rate").await;
        assert!(line.contains("20 of 20 requests"), "{failure:?}: {line}");
        for text in [NOT_SIGNALLED, NO_RESPONSES] {
            assert_eq!(logged(&env, text), 0, "{text}");
        }
    }
}

#[tokio::test]
async fn green_that_fails_everything_over_http2_is_rolled_back() {
    let env = lean(json!({ "max_error_rate": 5 })).await;
    env.green.set(Behavior::status(503));
    let client = env.http2();
    for _ in 0..20 {
        assert_eq!(client.send(to_green()).await.status, 503);
    }
    wait_for_rollback(&env, "error_rate").await;
}

#[tokio::test]
async fn green_is_rolled_back_for_what_it_fails_more_than_stable() {
    let env = lean(json!({ "max_error_rate_over_stable": 10 })).await;
    for upstream in [&env.blue, &env.green] {
        upstream.set(Behavior::status(500));
    }
    for color in ["blue", "green"] {
        send(&env, user_of(color), 20).await;
    }
    // Both fail alike: there is enough to judge, and no limit is broken.
    wait_for_state(&env, 0).await;
    assert_eq!(trips(&env).await, 0.0);
    env.blue.set(Behavior::default());
    send(&env, user_of("blue"), 40).await;
    let line = wait_for_rollback(&env, "error_rate_over_stable").await;
    assert!(line.contains("20 of 20 requests"), "{line}");
}

#[tokio::test]
async fn good_requests_do_not_roll_back() {
    let env = lean(json!({ "min_requests": 1, "max_error_rate": 0 })).await;
    for status in ["200", "204", "302", "404", "429"] {
        for client in both(&env) {
            let request = to_green().header("x-test-status", status);
            // A 204 has no body.
            client.send(request.header("x-test-chunks", "0")).await;
        }
    }
    wait_for_count(&env, "bluegreen_guard_finished_total", &[], 10).await;
    wait_for_state(&env, 0).await;
    // The first that fails does, and all are told apart.
    env.http1().send(failing()).await;
    let line = wait_for_rollback(&env, "error_rate").await;
    assert!(line.contains("1 of 11 requests"), "{line}");
}

/// Clients leave, and one request fails behind them: that is all that the guard knows of.
async fn assert_leaving_is_not_judged(leave: impl AsyncFn(&TestEnv, Client)) {
    let env = lean(json!({ "min_requests": 1, "max_error_rate": 0 })).await;
    for _ in 0..5 {
        for client in both(&env) {
            leave(&env, client).await;
        }
    }
    wait_for_suspects(&env, 10).await;
    env.http1().send(failing()).await;
    let line = wait_for_rollback(&env, "error_rate").await;
    assert!(line.contains("1 of 1 requests"), "{line}");
}

#[tokio::test]
async fn clients_that_leave_before_the_response_are_not_judged() {
    assert_leaving_is_not_judged(async |env, client| {
        let arrived = env.green.wait_for_count(env.green.count() + 1);
        let request = to_green().header("x-test-hang", "1");
        client.leave_before_response(request, arrived).await;
    })
    .await;
}

#[tokio::test]
async fn clients_that_leave_in_the_body_are_not_judged() {
    assert_leaving_is_not_judged(async |_, client| {
        client
            .leave_in_body(to_green().header("x-test-stall", "body"))
            .await;
    })
    .await;
}
