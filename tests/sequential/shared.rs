//! What both colors suffer alike is no evidence.

use testbed::{Behavior, TestEnv};

use serde_json::json;

use crate::common::{
    assert_harmless, config, request_of, rollout, serve, traffic, upstreams, wait_for_rollback,
    watched_with, weights, with_clusters,
};

/// So many requests before green alone fails.
const ALIKE: u64 = 1_000;

/// What fails before a leader is elected may be known to none.
const BEFORE_THE_LEADER: u64 = 50;

/// Now green alone fails, so the guard was not blind: it counts what failed before as well.
async fn assert_found_at_last(env: &TestEnv, name: &str, canary_before: u64, stable_before: u64) {
    assert_harmless(env, name).await;
    let load = traffic(env).start(request_of(name));
    let found = wait_for_rollback(env, name, "errors_sequential").await;
    assert!(
        found.canary + BEFORE_THE_LEADER > canary_before,
        "{found:?}"
    );
    assert!(
        found.stable + BEFORE_THE_LEADER >= stable_before,
        "{found:?}, {stable_before}"
    );
    load.stop().await;
    env.assert_no_vm_died().await;
}

/// Failures that one upstream answered so far.
async fn failures(env: &TestEnv, rollout: &str, color: &str) -> u64 {
    let labels = [("rollout", rollout), ("color", color)];
    env.envoy
        .metrics()
        .await
        .get("bluegreen_failures_total", &labels) as u64
}

/// The counters that Envoy shows are reset meanwhile.
#[tokio::test]
async fn equal_colors_with_five_percent_errors_are_not_rolled_back() {
    let fields = json!({ "weights": weights(50) });
    let env = watched_with(config([rollout("equal", fields)]), |envoy| envoy).await;
    for upstream in [&env.blue, &env.green] {
        upstream.set_percent(5.0, Behavior::status(500));
    }
    serve(&env, "equal", ALIKE).await;
    let [blue, green] = [
        failures(&env, "equal", "blue").await,
        failures(&env, "equal", "green").await,
    ];
    assert!(blue + green >= 48, "{blue} + {green}");
    env.envoy.reset_counters().await;
    serve(&env, "equal", ALIKE).await;
    env.blue.set(Behavior::default());
    env.green.set_percent(50.0, Behavior::status(500));
    assert_found_at_last(&env, "equal", green, blue).await;
}

#[tokio::test]
async fn an_outage_of_both_is_no_rollback() {
    const GREEN: [&str; 1] = ["green-2"];
    let greens = upstreams(GREEN).await;
    let clusters = json!({ "blue": "blue", "green": "green-2" });
    let outage = rollout("outage", json!({ "clusters": clusters }));
    let env = watched_with(config([outage]), |envoy| {
        with_clusters(envoy, &GREEN, &greens)
    })
    .await;
    for upstream in [&env.blue, &greens[0]] {
        upstream.set(Behavior::status(503));
    }
    serve(&env, "outage", ALIKE).await;
    let [blue, green] = [
        failures(&env, "outage", "blue").await,
        failures(&env, "outage", "green").await,
    ];
    assert_eq!(blue + green, ALIKE);
    env.blue.set(Behavior::default());
    assert_found_at_last(&env, "outage", green, blue).await;
}
