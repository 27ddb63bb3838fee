//! Whatever becomes of copies, users do not notice.

use crate::common::*;
use serde_json::json;
use std::time::Duration;
use testbed::{Behavior, Ending, Load, TestEnv, post};

/// Far more than an answer takes, far less than a copy hangs.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_canary_that_hangs_and_a_full_cluster_cost_users_nothing() {
    let posts = json!({ "shadow": { "percent": 100, "methods": ["GET", "POST"] } });
    let env = TestEnv::start_with(|envoy| {
        envoy
            .edit_bootstrap("max_requests: 1000", "max_requests: 20")
            .config(config([rollout("all", posts)]))
    })
    .await;
    env.green.set(Behavior::ending(Ending::Hang));
    let body = "x".repeat(10_000);
    let load = Load::to(env.envoy.addr()).connections(8).count(600);
    let report = load
        .run(move |i| match i % 2 {
            0 => request("all", i),
            _ => post("/all", body.clone()).header("x-user-id", format!("user-{i}")),
        })
        .await;
    assert_eq!(report.served_by("blue"), 600);
    assert!(report.latency(100.0) < SOON, "{:?}", report.latency(100.0));
    let metrics = env.envoy.metrics().await;
    let copied = metrics.get(COPIED, &[("rollout", "all")]);
    let arrived = metrics.get(REQUESTS, &[("rollout", "all")]);
    assert_eq!(copied, 600.0);
    // The rest found the cluster full.
    assert!(arrived < 300.0, "{arrived}");
}

#[tokio::test]
async fn a_canary_that_hangs_is_slow_and_then_fails() {
    let guard = json!({
        "window": "60s", "min_requests": 20, "slow_after": "200ms", "max_slow_rate": 20,
    });
    let env = TestEnv::start(config([rollout("slow", json!({ "guard": guard }))])).await;
    env.green.set(Behavior::ending(Ending::Hang));
    let users = Load::to(env.envoy.addr())
        .per_second(100.0)
        .start(|i| request("slow", i));
    let labels = [("rollout", "slow"), ("cause", "slow_rate")];
    let trips = "bluegreen_guard_trips_total";
    env.envoy
        .wait_for_metric(trips, &labels, |trips| trips == 1.0)
        .await;
    let report = users.stop().await;
    assert_eq!(report.served_by("blue"), report.sent());
}

#[tokio::test]
async fn a_canary_that_is_gone_costs_users_nothing() {
    let env = TestEnv::start(config([rollout(
        "all",
        json!({ "guard": { "sequential": {} } }),
    )]))
    .await;
    env.green.set(Behavior::ending(Ending::CloseBefore));
    let report = Load::to(env.envoy.addr())
        .count(300)
        .run(|i| request("all", i))
        .await;
    assert_eq!(report.served_by("blue"), 300);
    let labels = [
        ("rollout", "all"),
        ("color", "green"),
        ("code_class", "5xx"),
    ];
    env.envoy
        .wait_for_metric(RESPONSES, &labels, |it| it > 50.0)
        .await;
}
