//! The routing header: the filter's, never the client's.

use serde_json::json;
use testbed::{EnvoyBuilder, Request, TestEnv, get};

use crate::common::{matching, rollout};
use crate::routing::decided;

/// A forged routing header, in each way a client can send it.
fn forged(request: Request) -> Vec<Request> {
    let header = "x-bluegreen-cluster";
    vec![
        request.clone().header(header, "green"),
        request
            .clone()
            .header(header, "green")
            .header(header, "blue"),
        request.clone().header("X-BlueGreen-Cluster", "green"),
        request.clone().header(header, ""),
        request.header(header, b"\xff\xfe"),
    ]
}

#[tokio::test]
async fn a_request_that_fits_nothing_passes_without_the_headers_that_are_the_filters() {
    let mut policy = json!({ "rollouts": [matching(
        rollout("demo", 100_000, json!([{ "new_cookie": { "name": "id" } }])),
        json!({ "hosts": ["shop.example"] }),
    )] });
    policy["color_header"] = json!("x-bluegreen-color");
    let env = TestEnv::start(policy).await;
    let request = get("/a%20b/?q=1&q=2&x=%ff")
        .host("other.example:81")
        .header("x-bluegreen-color", "green")
        .header("cookie", "id=0123; a=\"b\"")
        .header("x-odd", b"\xff\xfe")
        .header("x-odd", "")
        .header("x-user-id", "u1");
    for client in [env.http1(), env.http2()] {
        for forged in forged(request.clone()) {
            let response = client.send(forged).await;
            assert_eq!((response.status, response.served_by()), (200, Some("blue")));
            assert_eq!(response.header("set-cookie"), None);
            assert_eq!(response.header("x-bluegreen-color"), None);

            let mut received = env.blue.last();
            assert_eq!(received.path, "/a%20b/?q=1&q=2&x=%ff");
            assert_eq!(received.host.as_deref(), Some(&b"other.example:81"[..]));
            let by_envoy = [
                "host",
                "x-forwarded-for",
                "x-forwarded-proto",
                "x-envoy-internal",
                "x-envoy-expected-rq-timeout-ms",
                "x-request-id",
            ];
            for name in by_envoy {
                received.headers.remove(name);
            }
            let mut sent = request.headers.clone();
            sent.remove("host");
            sent.remove("x-bluegreen-color");
            assert_eq!(received.headers, sent);
        }
    }
    assert_eq!(env.green.count(), 0);
    assert!(decided(&env).await.is_empty());
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get("bluegreen_unmatched_total", &[]), 10.0);
}

/// What the shipped bootstrap takes away early and late is let through, so that the filter stands alone
/// and the upstream sees what it did.
fn unstripped(envoy: EnvoyBuilder) -> EnvoyBuilder {
    envoy
        .edit_bootstrap("- remove: x-bluegreen-cluster", "- remove: x-none")
        .edit_bootstrap(
            "request_headers_to_remove: [x-bluegreen-cluster]",
            "request_headers_to_remove: [x-none]",
        )
}

#[tokio::test]
async fn the_filter_alone_replaces_or_removes_a_forged_routing_header() {
    let policy = json!({ "rollouts": [matching(
        rollout("demo", 100_000, json!([])),
        json!({ "path_prefix": "/matched" }),
    )] });
    let env = TestEnv::start_with(|envoy| unstripped(envoy.config(policy))).await;
    for client in [env.http1(), env.http2()] {
        for forged in forged(get("/matched")) {
            assert_eq!(client.send(forged).await.served_by(), Some("green"));
            assert_eq!(
                env.green.last().header_all("x-bluegreen-cluster"),
                [b"green"]
            );
        }
        for forged in forged(get("/other")) {
            assert_eq!(client.send(forged).await.served_by(), Some("blue"));
            assert!(env.blue.last().header_all("x-bluegreen-cluster").is_empty());
        }
    }
}

#[tokio::test]
async fn another_route_header_serves_and_is_never_the_clients() {
    let mut policy = json!({ "rollouts": [matching(
        rollout("demo", 100_000, json!([])),
        json!({ "path_prefix": "/matched" }),
    )] });
    policy["route_header"] = json!("X-Pool");
    // The bootstrap's early mutation still knows the default name alone.
    let env = TestEnv::start_with(|envoy| {
        envoy
            .config(policy)
            .edit_bootstrap(
                "cluster_header: x-bluegreen-cluster",
                "cluster_header: x-pool",
            )
            .edit_bootstrap(
                "name: x-bluegreen-cluster, present",
                "name: x-pool, present",
            )
            .edit_bootstrap(
                "request_headers_to_remove: [x-bluegreen-cluster]",
                "request_headers_to_remove: [x-none]",
            )
    })
    .await;
    for client in [env.http1(), env.http2()] {
        for value in ["blue", "no-such-cluster", ""] {
            let matched = get("/matched")
                .header("x-pool", value)
                .header("x-pool", "blue");
            assert_eq!(client.send(matched).await.served_by(), Some("green"));
            assert_eq!(env.green.last().header_all("x-pool"), [b"green"]);
        }
        for value in ["green", "no-such-cluster", ""] {
            let other = get("/other")
                .header("x-pool", value)
                .header("x-pool", "green");
            assert_eq!(client.send(other).await.served_by(), Some("blue"));
            assert!(env.blue.last().header_all("x-pool").is_empty());
        }
    }
}
