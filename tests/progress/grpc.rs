//! gRPC statuses, with a real gRPC client and server.

use serde_json::json;
use testbed::{Behavior, Code, Ending, Load, Request, post};

use crate::common::wait_for_responses;
use crate::guarded::{
    green_user, guarded, look, trips, wait_for_rollback, wait_for_state, watched,
};

/// The statuses that Envoy maps to a 5xx: unknown, deadline exceeded, unimplemented, internal,
/// unavailable, data loss.
const SERVER_ERRORS: [u32; 6] = [2, 4, 12, 13, 14, 15];

const DEMO: [(&str, &str); 1] = [("rollout", "demo")];

#[tokio::test]
async fn a_status_counts_as_failed_where_envoy_maps_it_to_a_5xx() {
    let env = watched(guarded(
        json!({ "min_requests": 1000, "max_error_rate": 5 }),
    ))
    .await;
    let (client, user) = (env.grpc(), green_user());
    let (mut calls, mut failures) = (0, 0.0);
    for code in 0..=16 {
        let service = format!("status-{code}");
        let of_user = [("x-user-id", user.as_str())];
        let unary = client.check(&service, &of_user).await;
        let streamed = client.watch(&service, &of_user).await;
        if code != 0 {
            let expected = Code::from_i32(code as i32);
            assert_eq!((unary.code, streamed.code), (expected, expected));
        }
        calls += 2;
        failures += if SERVER_ERRORS.contains(&code) {
            2.0
        } else {
            0.0
        };
        wait_for_responses(&env, "demo", calls).await;
        let metrics = env.envoy.metrics().await;
        assert_eq!(
            metrics.get("bluegreen_failures_total", &DEMO),
            failures,
            "code {code}"
        );
    }
    // HTTP says 200 to all of them.
    let ok = [
        ("rollout", "demo"),
        ("color", "green"),
        ("code_class", "2xx"),
    ];
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get("bluegreen_responses_total", &ok), calls as f64);
}

#[tokio::test]
async fn green_that_is_unavailable_is_rolled_back() {
    let env = watched(guarded(json!({ "max_error_rate": 5 }))).await;
    env.green.set(Behavior::grpc_status(Code::Unavailable));
    let (client, user) = (env.grpc(), green_user());
    for _ in 0..20 {
        let reply = client.check("any", &[("x-user-id", &user)]).await;
        assert_eq!((reply.code, reply.messages), (Code::Unavailable, 0));
    }
    wait_for_rollback(&env, "blue", "error_rate").await;
    let reply = client.check("any", &[("x-user-id", &user)]).await;
    assert_eq!((reply.code, reply.served_by()), (Code::Ok, Some("blue")));
}

#[tokio::test]
async fn green_whose_streams_fail_after_they_began_is_rolled_back() {
    let env = watched(guarded(json!({ "max_error_rate": 5 }))).await;
    let (client, user) = (env.grpc(), green_user());
    for _ in 0..20 {
        let reply = client
            .watch("stream-ok-then-13", &[("x-user-id", &user)])
            .await;
        assert_eq!((reply.code, reply.messages), (Code::Internal, 2));
    }
    wait_for_rollback(&env, "blue", "error_rate").await;
}

#[tokio::test]
async fn green_that_resets_calls_is_rolled_back() {
    let env = watched(guarded(json!({ "max_error_rate": 5 }))).await;
    env.green.set(Behavior::ending(Ending::CloseBefore));
    let (client, user) = (env.grpc(), green_user());
    for _ in 0..20 {
        let reply = client.check("any", &[("x-user-id", &user)]).await;
        assert_eq!(reply.code, Code::Unavailable);
    }
    wait_for_rollback(&env, "blue", "error_rate").await;
}

#[tokio::test]
async fn calls_that_find_nothing_are_good_calls() {
    let env = watched(guarded(json!({ "max_error_rate": 0 }))).await;
    env.green.set(Behavior::grpc_status(Code::NotFound));
    let (client, user) = (env.grpc(), green_user());
    for _ in 0..20 {
        let reply = client.check("any", &[("x-user-id", &user)]).await;
        assert_eq!(reply.code, Code::NotFound);
    }
    wait_for_state(&env, 0).await;
    look(&env).await;
    assert_eq!(trips(&env).await, 0.0);
}

#[tokio::test]
async fn clients_that_cancel_a_call_do_not_count() {
    let env = watched(guarded(json!({ "min_requests": 1, "max_error_rate": 0 }))).await;
    let (client, user) = (env.grpc(), green_user());
    let of_user = [("x-user-id", user.as_str())];
    for calls in 1..=10 {
        tokio::select! {
            reply = client.watch("hang", &of_user) => panic!("answered: {reply:?}"),
            () = env.green.wait_for_count(calls) => {}
        }
        wait_for_responses(&env, "demo", calls).await;
    }
    look(&env).await;
    wait_for_state(&env, 1).await;
    assert_eq!(trips(&env).await, 0.0);
}

/// A plain response has no gRPC status, whatever header it may have.
#[tokio::test]
async fn a_grpc_status_counts_in_grpc_calls_alone() {
    let env = watched(guarded(json!({ "max_error_rate": 0 }))).await;
    let user = green_user();
    let request = move |_| -> Request {
        post("/", "{}")
            .header("x-user-id", &user)
            .header("content-type", "application/json")
            .header("x-test-response-header", "grpc-status: 14")
    };
    let report = Load::to(env.envoy.addr()).count(20).run(request).await;
    assert_eq!(report.by_status(), [(200, 20)].into());
    wait_for_state(&env, 0).await;
    look(&env).await;
    assert_eq!(trips(&env).await, 0.0);
}
