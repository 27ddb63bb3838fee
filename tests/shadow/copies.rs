//! Who gets copies, and what the canary sees of them.

use crate::common::*;
use serde_json::json;
use testbed::{TestEnv, get, post};

#[tokio::test]
async fn every_request_of_the_users_asked_for_is_copied_once_and_answered_by_stable() {
    let rollouts = [
        rollout("all", json!({})),
        rollout("some", json!({ "shadow": { "percent": 20 } })),
    ];
    let env = TestEnv::start(config(rollouts)).await;
    send(&env, "all", 40).await;
    wait_for_copies(&env, "all", 40).await;
    assert_eq!((env.blue.count(), env.green.count()), (40, 40));
    let labels = [("rollout", "all"), ("color", "green")];
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get(REQUESTS, &labels), 40.0);
    assert_eq!(metrics.get(COPIED, &[("rollout", "all")]), 40.0);
    let real = [("rollout", "all"), ("color", "green")];
    assert_eq!(metrics.get("bluegreen_requests_total", &real), 0.0);

    let users = 0..100_u64;
    let wanted = users.filter(|i| testbed::color("some", format!("user-{i}"), 20_000) == "green");
    let wanted = wanted.count() as u64;
    assert!((5..40).contains(&wanted), "{wanted}");
    send(&env, "some", 100).await;
    wait_for_copies(&env, "some", wanted).await;
    assert_eq!(env.green.count_path("/some"), wanted);
}

#[tokio::test]
async fn the_canary_learns_that_it_is_a_copy_and_stable_learns_nothing() {
    let rollout = rollout("all", json!({ "sticky": ["source_ip"] }));
    let env = TestEnv::start(config([rollout])).await;
    let request = get("/all?a=b").host("shop.example").header("x-mine", "1");
    assert_eq!(env.http1().send(request).await.status, 200);
    env.green.wait_for_count(1).await;
    let (real, copy) = (env.blue.last(), env.green.last());
    assert_eq!(real.header("x-bluegreen-shadow"), None);
    assert_eq!(copy.header("x-bluegreen-shadow"), Some(&b"true"[..]));
    assert_eq!(copy.header_all("x-bluegreen-shadow").len(), 1);
    for upstream in [&real, &copy] {
        assert_eq!(upstream.header("x-bluegreen-cluster"), None);
        assert_eq!(upstream.header("x-mine"), Some(&b"1"[..]));
        assert_eq!(upstream.path, "/all?a=b");
        assert_eq!(upstream.host.as_deref(), Some(&b"shop.example"[..]));
    }
    assert_eq!(real.header("x-request-id"), copy.header("x-request-id"));
}

#[tokio::test]
async fn requests_that_change_something_are_copied_only_where_asked_for() {
    let post_too = json!({ "shadow": { "percent": 100, "methods": ["POST"] } });
    let rollouts = [rollout("safe", json!({})), rollout("posts", post_too)];
    let env = TestEnv::start(config(rollouts)).await;
    let client = env.http1();
    let body = "x".repeat(100_000);
    for path in ["/safe", "/posts"] {
        let response = client.send(post(path, body.clone())).await;
        assert_eq!((response.status, response.served_by()), (200, Some("blue")));
        assert_eq!(client.send(get(path)).await.status, 200);
    }
    wait_for_copies(&env, "safe", 1).await;
    wait_for_copies(&env, "posts", 1).await;
    let copies: Vec<_> = env.green.received();
    let copies: Vec<_> = copies
        .iter()
        .map(|it| (it.method.as_str(), it.path.as_str()))
        .collect();
    assert_eq!(copies.len(), 2, "{copies:?}");
    assert!(copies.contains(&("GET", "/safe")), "{copies:?}");
    assert!(copies.contains(&("POST", "/posts")), "{copies:?}");
}

#[tokio::test]
async fn who_is_served_by_the_canary_or_overridden_is_not_copied() {
    let fields = json!({
        "weights": { "blue": 50, "green": 50 },
        "override": { "header": "x-bluegreen", "require": "nothing" },
    });
    let env = TestEnv::start(config([rollout("half", fields)])).await;
    let client = env.http1();
    let mut blue = 0;
    for i in 0..60 {
        let response = client.send(request("half", i)).await;
        blue += u64::from(response.served_by() == Some("blue"));
        let tester = request("half", i).header("x-bluegreen", "blue");
        assert_eq!(client.send(tester).await.served_by(), Some("blue"));
    }
    assert!((10..50).contains(&blue), "{blue}");
    wait_for_copies(&env, "half", blue).await;
    assert_eq!(env.green.count(), 60);
}
