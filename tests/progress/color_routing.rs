//! Routes that match on the color header choose the cluster, as Istio's and the Gateway API's do.

use serde_json::{Value, json};
use testbed::{Behavior, EnvoyBuilder, Request, TestEnv, get};

use crate::common::{
    USERS, as_user, client_per_worker, expected_colors, served_by, users, weights,
};
use crate::guarded::{green_user, send, wait_for_rollback, with_guard};

const COLOR: &str = "x-bluegreen-color";

/// Routes by the color header, which is stripped before the filter as the routing header is.
fn by_color(envoy: EnvoyBuilder) -> EnvoyBuilder {
    envoy
        .edit_bootstrap(
            "- remove: x-bluegreen-cluster",
            "- remove: x-bluegreen-color",
        )
        .edit_bootstrap(
            "- { name: x-bluegreen-cluster, present_match: false }",
            "- { name: x-bluegreen-color, string_match: { exact: green }, invert_match: true, \
             treat_missing_header_as_empty: true }",
        )
        .edit_bootstrap("cluster_header: x-bluegreen-cluster", "cluster: green")
}

/// As [`by_color`], with nothing that strips the header but the filter.
fn by_color_alone(envoy: EnvoyBuilder) -> EnvoyBuilder {
    by_color(envoy).edit_bootstrap("- remove: x-bluegreen-color", "- remove: x-none")
}

/// One rollout `demo` without clusters, with these fields, for paths below `/matched`.
fn config(fields: Value) -> Value {
    let mut rollout = json!({
        "name": "demo",
        "match": { "path_prefix": "/" },
        "weights": weights(50),
        "sticky": [{ "header": "x-user-id" }],
    });
    testbed::merge(&mut rollout, fields);
    json!({ "color_header": COLOR, "rollouts": [rollout] })
}

async fn start(config: Value, options: fn(EnvoyBuilder) -> EnvoyBuilder) -> TestEnv {
    TestEnv::start_with(|envoy| options(envoy.config(config))).await
}

/// What a client may send in the header, once or repeated.
fn forged(request: &Request) -> Vec<Request> {
    let values: [&[&[u8]]; 5] = [
        &[b"green"],
        &[b"blue"],
        &[b"green", b"green"],
        &[b"", b"green"],
        &[b"\xff", b"green"],
    ];
    let with = |values: &[&[u8]]| {
        let headers = values.iter();
        headers.fold(request.clone(), |request, value| {
            request.header(COLOR, *value)
        })
    };
    values.into_iter().map(with).collect()
}

#[tokio::test]
async fn each_user_has_the_color_that_the_contract_says_at_any_weight() {
    let env = start(config(json!({})), by_color).await;
    for green in [50, 10, 90] {
        env.push(config(json!({ "weights": weights(green) }))).await;
        let [first, second] = client_per_worker(&env).await;
        let mut colors = Vec::new();
        for user in users().take(USERS) {
            let color = served_by(&first, as_user(&user)).await;
            assert_eq!(served_by(&second, as_user(&user)).await, color, "{user}");
            colors.push(color);
        }
        assert_eq!(colors, expected_colors(green));
    }
}

#[tokio::test]
async fn a_forged_color_header_is_never_obeyed() {
    let below = json!({ "match": { "path_prefix": "/matched" }, "weights": weights(0) });
    for options in [by_color, by_color_alone] {
        let env = start(config(below.clone()), options).await;
        for client in [env.http1(), env.http2()] {
            for path in ["/matched", "/other"] {
                for request in forged(&get(path)) {
                    assert_eq!(served_by(&client, request).await, "blue", "{path}");
                }
            }
        }
        assert_eq!(env.green.count(), 0);
        let received = env.blue.last();
        assert!(
            received.header_all(COLOR).is_empty(),
            "where nothing matches"
        );
    }
}

/// The header is stripped before the filter.
#[tokio::test]
async fn a_forged_color_header_is_not_obeyed_where_the_filter_is_absent() {
    let env =
        TestEnv::start_with(|envoy| by_color(envoy.raw_config("{}").without_waiting_for_config()))
            .await;
    for client in [env.http1(), env.http2()] {
        for request in forged(&get("/")) {
            assert_eq!(served_by(&client, request).await, "blue");
        }
    }
}

#[tokio::test]
async fn the_routing_header_is_not_the_clients_either() {
    let env = start(config(json!({})), |envoy| {
        let kept = "request_headers_to_remove: [x-none]";
        by_color_alone(envoy)
            .edit_bootstrap("request_headers_to_remove: [x-bluegreen-cluster]", kept)
    })
    .await;
    let request = as_user(&green_user()).header("x-bluegreen-cluster", "blue");
    assert_eq!(served_by(&env.http1(), request).await, "green");
    assert!(
        env.green
            .last()
            .header_all("x-bluegreen-cluster")
            .is_empty()
    );
}

#[tokio::test]
async fn testers_have_the_color_that_they_ask_for() {
    let overrides = json!({ "header": "x-bluegreen", "require": "internal" });
    let all_on_blue = json!({ "weights": weights(0), "override": overrides });
    let env = start(config(all_on_blue), by_color).await;
    let tester = as_user(&green_user()).header("x-bluegreen", "green");
    assert_eq!(served_by(&env.http1(), tester).await, "green");
    assert_eq!(
        served_by(&env.http1(), as_user(&green_user())).await,
        "blue"
    );
}

#[tokio::test]
async fn green_that_fails_is_rolled_back() {
    let guard = with_guard(json!({ "max_error_rate": 5 }));
    let env = start(config(json!({ "guard": guard })), by_color).await;
    env.green.set(Behavior::status(500));
    send(&env, &green_user(), 20).await;
    wait_for_rollback(&env, "blue", "error_rate").await;
}
