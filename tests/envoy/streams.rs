//! Streams that end well, badly or not at all, and what is counted of them.

use serde_json::json;
use testbed::{Behavior, EnvoyBuilder, TestEnv, get};

use crate::common::{config, matching, rollout};
use crate::counts::{assert_counts, both};

/// Envoy with blue alone, changed as the test wants.
async fn env(options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder) -> TestEnv {
    TestEnv::start_with(|envoy| options(envoy.config(config(0, json!([]))))).await
}

async fn plain_bed() -> TestEnv {
    env(|envoy| envoy).await
}

/// Adds to the shipped routes' action, in place of their timeout.
fn route(envoy: EnvoyBuilder, action: &str) -> EnvoyBuilder {
    envoy.edit_bootstrap("timeout: 15s", action)
}

#[tokio::test]
async fn codes_count_in_their_classes_and_5xx_as_failures() {
    let env = plain_bed().await;
    for client in both(&env) {
        for status in ["200", "201", "302", "404", "429", "500", "503"] {
            let response = client.send(get("/").header("x-test-status", status)).await;
            assert_eq!(response.status.to_string(), status);
        }
    }
    assert_counts(&env, &[("2xx", 4), ("3xx", 2), ("4xx", 4), ("5xx", 4)], 4).await;
}

#[tokio::test]
async fn a_client_that_leaves_before_the_response_is_no_failure() {
    let env = plain_bed().await;
    let hangs = get("/").header("x-test-hang", "1");
    for (i, client) in both(&env).into_iter().enumerate() {
        let arrived = env.blue.wait_for_count(i as u64 + 1);
        client.leave_before_response(hangs.clone(), arrived).await;
    }
    assert_counts(&env, &[("none", 2)], 0).await;
}

#[tokio::test]
async fn a_client_that_leaves_in_the_body_is_no_failure() {
    let env = plain_bed().await;
    for client in both(&env) {
        client
            .leave_in_body(get("/").header("x-test-stall", "body"))
            .await;
    }
    assert_counts(&env, &[("2xx", 2)], 0).await;
}

#[tokio::test]
async fn an_upstream_that_refuses_connections_is_a_failure() {
    let TestEnv { envoy, blue, green } = plain_bed().await;
    drop(blue);
    let unused = testbed::Upstream::start("unused").await;
    let env = TestEnv {
        envoy,
        blue: unused,
        green,
    };
    for client in both(&env) {
        let response = client.get("/").await;
        assert_eq!((response.status, response.served_by()), (503, None));
    }
    assert_counts(&env, &[("5xx", 2)], 2).await;
}

#[tokio::test]
async fn a_cluster_that_envoy_does_not_know_is_a_failure() {
    let mut policy = config(0, json!([]));
    policy["rollouts"][0]["clusters"]["blue"] = json!("no-such-cluster");
    let env = TestEnv::start(policy).await;
    assert_eq!(env.http1().get("/").await.status, 503);
    assert_counts(&env, &[("5xx", 1)], 1).await;
}

#[tokio::test]
async fn a_connection_closed_before_the_response_is_a_failure() {
    let env = plain_bed().await;
    for client in both(&env) {
        let response = client.send(get("/").header("x-test-close", "before")).await;
        assert_eq!(response.status, 503);
    }
    assert_counts(&env, &[("5xx", 2)], 2).await;
}

#[tokio::test]
async fn a_response_cut_off_by_the_upstream_is_a_failure() {
    let env = plain_bed().await;
    for client in both(&env) {
        let response = client.send(get("/").header("x-test-close", "middle")).await;
        assert_eq!((response.status, response.cut), (200, client.sees_cuts()));
    }
    assert_counts(&env, &[("2xx", 2)], 2).await;
}

#[tokio::test]
async fn a_timeout_before_the_response_is_a_failure() {
    let env = env(|envoy| route(envoy, "timeout: 0.3s")).await;
    for client in both(&env) {
        let response = client.send(get("/").header("x-test-hang", "1")).await;
        assert_eq!(response.status, 504);
    }
    assert_counts(&env, &[("5xx", 2)], 2).await;
}

#[tokio::test]
async fn a_timeout_in_the_body_is_a_failure() {
    let env = env(|envoy| route(envoy, "timeout: 0.3s")).await;
    for client in both(&env) {
        let response = client.send(get("/").header("x-test-stall", "body")).await;
        assert_eq!((response.status, response.cut), (200, client.sees_cuts()));
    }
    assert_counts(&env, &[("2xx", 2)], 2).await;
}

#[tokio::test]
async fn a_stream_that_goes_idle_is_a_failure() {
    let env = env(|envoy| route(envoy, "timeout: 0s\n                  idle_timeout: 0.3s")).await;
    let [http1, http2] = both(&env);
    let response = http1.send(get("/").header("x-test-hang", "1")).await;
    assert_eq!(response.status, 504);
    let response = http2.send(get("/").header("x-test-stall", "body")).await;
    assert_eq!((response.status, response.cut), (200, http2.sees_cuts()));
    assert_counts(&env, &[("2xx", 1), ("5xx", 1)], 2).await;
}

#[tokio::test]
async fn a_retry_that_ends_well_is_a_failure_that_no_client_sees() {
    let policy = "timeout: 15s\n                  retry_policy: { retry_on: 5xx, num_retries: 2 }";
    let env = env(|envoy| route(envoy, policy)).await;
    env.blue.set_percent(50.0, Behavior::status(503));
    let client = env.http1();
    for _ in 0..20 {
        assert_eq!(client.get("/").await.status, 200);
    }
    assert!(env.blue.count() > 30, "only {} tries", env.blue.count());
    let retried = env.blue.count() as u32 - 20;
    assert_counts(&env, &[("2xx", 20)], retried).await;

    env.blue.set(Behavior::status(503));
    assert_eq!(client.get("/").await.status, 503);
    assert_counts(&env, &[("2xx", 20), ("5xx", 1)], retried + 1).await;
}

#[tokio::test]
async fn a_response_in_a_thousand_pieces_counts_once() {
    let env = plain_bed().await;
    for client in both(&env) {
        let request = get("/")
            .header("x-test-chunks", "1000")
            .header("x-test-chunk-delay-ms", "1");
        let response = client.send(request).await;
        assert_eq!((response.cut, response.body.len()), (false, 5_000));
    }
    assert_counts(&env, &[("2xx", 2)], 0).await;
}

/// Envoy follows the redirect with a new run of the filters; the user's color is the same.
#[tokio::test]
async fn an_internal_redirect_is_decided_twice_alike() {
    let policy = "timeout: 15s\n                  internal_redirect_policy: {}";
    let sticky = json!([{ "header": "x-user-id" }]);
    let env =
        TestEnv::start_with(|envoy| route(envoy.config(config(50_000, sticky)), policy)).await;
    let mut moved = Behavior::status(302);
    moved.headers.insert(
        "location",
        "http://testbed/next".parse().expect("a location"),
    );
    let request = |user: u32| {
        get("/first")
            .host("testbed")
            .header("x-user-id", format!("user-{user}"))
    };
    let client = env.http1();
    for upstream in [&env.blue, &env.green] {
        // Every second request is moved: then the one behind it is not.
        upstream.set_percent(50.0, moved.clone());
    }
    let mut redirected = 0;
    for user in 0..20 {
        let (blue, green) = (env.blue.count(), env.green.count());
        let response = client.send(request(user)).await;
        assert_eq!(response.status, 200);
        let (blue, green) = (env.blue.count() - blue, env.green.count() - green);
        assert!(
            blue == 0 || green == 0,
            "user-{user} changed color on the way"
        );
        redirected += u32::from(blue + green == 2);
        for upstream in [&env.blue, &env.green] {
            assert!(
                upstream
                    .received()
                    .iter()
                    .all(|it| it.header("x-bluegreen-cluster").is_none())
            );
        }
    }
    assert!(redirected > 5);
    assert_counts(&env, &[("2xx", 20), ("3xx", redirected)], 0).await;
}

#[tokio::test]
async fn unmatched_streams_count_in_unmatched_alone() {
    let elsewhere = matching(
        rollout("demo", 0, json!([])),
        json!({ "path_prefix": "/elsewhere" }),
    );
    let env = TestEnv::start(json!({ "rollouts": [elsewhere] })).await;
    let client = env.http1();
    let arrived = env.blue.wait_for_count(1);
    client
        .leave_before_response(get("/").header("x-test-hang", "1"), arrived)
        .await;
    assert_eq!(
        client
            .send(get("/").header("x-test-status", "500"))
            .await
            .status,
        500
    );
    let unmatched = |n| n == 2.0;
    env.envoy
        .wait_for_metric("bluegreen_unmatched_total", &[], unmatched)
        .await;
    assert_counts(&env, &[], 0).await;
}
