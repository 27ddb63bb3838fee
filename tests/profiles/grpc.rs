//! gRPC where the profile is `lean`: its statuses stand in headers and trailers of responses.

use serde_json::json;
use testbed::{Behavior, Code, Ending, EnvoyBuilder, TestEnv};

use crate::common::{logged, user_of, wait_for_count, wait_for_suspects, without_responses};
use crate::guarded::{counting, guard, wait_for_rollback, watched};

/// What the log says where statuses are needed and Envoy may not hand them to the filter.
const NO_STATUSES: &str = "gRPC statuses do not reach the filter";

fn without_trailers(envoy: EnvoyBuilder) -> EnvoyBuilder {
    envoy.withhold("proxy_on_response_trailers")
}

#[tokio::test]
async fn green_that_is_unavailable_is_rolled_back() {
    let env = watched("lean", guard(json!({ "max_error_rate": 5 })), |it| it).await;
    env.green.set(Behavior::grpc_status(Code::Unavailable));
    let (client, user) = (env.grpc(), user_of("green"));
    for _ in 0..20 {
        let reply = client.check("any", &[("x-user-id", &user)]).await;
        assert_eq!((reply.code, reply.messages), (Code::Unavailable, 0));
    }
    let line = wait_for_rollback(&env, "error_rate").await;
    assert!(line.contains("20 of 20 requests"), "{line}");
    // HTTP says 200 to all of them.
    wait_for_suspects(&env, 0).await;
}

#[tokio::test]
async fn green_whose_calls_fail_behind_messages_is_rolled_back() {
    let env = watched("lean", guard(json!({ "max_error_rate": 5 })), |it| it).await;
    let (client, user) = (env.grpc(), user_of("green"));
    for _ in 0..20 {
        let reply = client
            .watch("stream-ok-then-13", &[("x-user-id", &user)])
            .await;
        assert_eq!((reply.code, reply.messages), (Code::Internal, 2));
    }
    let line = wait_for_rollback(&env, "error_rate").await;
    assert!(line.contains("20 of 20 requests"), "{line}");
}

#[tokio::test]
async fn a_call_counts_as_failed_where_envoy_maps_its_status_to_a_5xx() {
    let env = watched("lean", counting(), |it| it).await;
    let (client, user) = (env.grpc(), user_of("green"));
    for code in 0..=16 {
        let service = format!("status-{code}");
        client.check(&service, &[("x-user-id", &user)]).await;
        client.watch(&service, &[("x-user-id", &user)]).await;
    }
    // Unknown, deadline exceeded, unimplemented, internal, unavailable and data loss.
    wait_for_count(&env, "bluegreen_guard_finished_total", &[], 2 * 17).await;
    wait_for_count(&env, "bluegreen_failures_total", &[], 2 * 6).await;
}

/// It says that it misses them; and what it does not see is no failure.
#[tokio::test]
async fn good_calls_are_good_where_their_statuses_do_not_reach_the_filter() {
    let without_both = |envoy| without_responses(without_trailers(envoy));
    for options in [without_trailers, without_both] {
        let env = watched("lean", counting(), |it| options(it).concurrency(1)).await;
        assert_good_calls_are_good(&env).await;
        env.envoy.wait_for_log(NO_STATUSES).await;
        assert_eq!(logged(&env, NO_STATUSES), 1);
        // A call that is reset is seen all the same.
        env.green.set(Behavior::ending(Ending::CloseBefore));
        let (client, user) = (env.grpc(), user_of("green"));
        let reply = client.check("any", &[("x-user-id", &user)]).await;
        assert_eq!(reply.code, Code::Unavailable);
        wait_for_count(&env, "bluegreen_failures_total", &[], 1).await;
    }
}

/// Calls with messages have their status in trailers.
#[tokio::test]
async fn good_calls_are_good_where_their_trailers_alone_reach_the_filter() {
    let env = watched("lean", counting(), without_responses).await;
    assert_good_calls_are_good(&env).await;
    assert_eq!(logged(&env, NO_STATUSES), 0);
}

/// A call that ends without messages has its status in the response's headers.
#[tokio::test]
async fn calls_that_find_nothing_are_good_where_their_headers_do_not_reach_the_filter() {
    let options = |envoy| without_responses(envoy).concurrency(1);
    let env = watched("lean", counting(), options).await;
    let (client, user) = (env.grpc(), user_of("green"));
    let of_user = [("x-user-id", user.as_str())];
    for _ in 0..10 {
        assert_eq!(client.check("any", &of_user).await.code, Code::Ok);
        let reply = client.check("status-5", &of_user).await;
        assert_eq!(reply.code, Code::NotFound);
    }
    wait_for_count(&env, "bluegreen_guard_finished_total", &[], 20).await;
    wait_for_count(&env, "bluegreen_failures_total", &[], 0).await;
    env.envoy.wait_for_log(NO_STATUSES).await;
}

async fn assert_good_calls_are_good(env: &TestEnv) {
    let (client, user) = (env.grpc(), user_of("green"));
    let of_user = [("x-user-id", user.as_str())];
    for _ in 0..10 {
        let unary = client.check("any", &of_user).await;
        let streamed = client.watch("any", &of_user).await;
        assert_eq!((unary.code, streamed.code), (Code::Ok, Code::Ok));
    }
    wait_for_count(env, "bluegreen_guard_finished_total", &[], 20).await;
    wait_for_count(env, "bluegreen_failures_total", &[], 0).await;
}
