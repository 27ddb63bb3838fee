//! Counters that fall, as by Envoy's `/reset_counters`.

use serde_json::{Value, json};
use testbed::{Behavior, Feature, TestEnv, get};

use crate::common::{
    config, failures, guard, look, send, trips, wait_for, wait_for_rollback, wait_for_state,
    watched,
};

fn limited(limits: Value) -> Value {
    config(json!({ "guard": guard(limits) }))
}

/// An Envoy with this configuration, and 300 good requests from before it came into force. A window that begins
/// with them in the counters has to do without them once those are reset.
async fn watched_after_good_requests(config: Value) -> TestEnv {
    let before = limited(json!({ "max_error_rate": 50 }));
    let env = watched(before, |envoy| envoy).await;
    send(&env, 300, get("/"), 200).await;
    // What a worker had not told yet would count as come after the push.
    wait_for(&env, "bluegreen_guard_finished_total", 300.0).await;
    wait_for_state(&env, 0).await;
    env.push(config).await;
    wait_for_state(&env, 1).await;
    env
}

#[tokio::test]
async fn failures_below_the_limit_do_not_roll_back_after_a_reset() {
    let config = limited(json!({ "max_error_rate": 20 }));
    let env = watched_after_good_requests(config.clone()).await;
    env.envoy.reset_counters().await;
    // One in ten, until there are more of all than before.
    for _ in 0..36 {
        send(&env, 9, get("/"), 200).await;
        send(&env, 1, get("/").header("x-test-status", "500"), 500).await;
    }
    wait_for(&env, "bluegreen_responses_total", 360.0).await;
    wait_for_state(&env, 0).await;
    look(&env, config).await;
    assert_eq!((trips(&env).await, failures(&env).await), (0.0, 36.0));
}

#[tokio::test]
async fn failures_after_a_reset_are_all_seen() {
    const FAILURES: u64 = 200;
    let limits = json!({ "max_error_rate": 5, "min_requests": FAILURES });
    let env = watched_after_good_requests(limited(limits)).await;
    env.envoy.reset_counters().await;
    // Fewer than the good ones before: no count is as high as it was.
    env.green.set(Behavior::status(500));
    send(&env, FAILURES, get("/"), 500).await;
    wait_for_rollback(&env, "error_rate").await;
}

/// Of a release that came after a perfect one.
#[tokio::test]
async fn a_precision_of_ninety_percent_stays_one_after_a_reset() {
    let of = |release: &str| {
        let releases = json!({ "blue": release, "green": release });
        let quality = json!({ "min_samples": 10, "confidence": "none", "min_precision": 75 });
        let weights = json!({ "blue": 50, "green": 50 });
        config(json!({ "weights": weights, "quality": quality, "releases": releases }))
    };
    let env = TestEnv::start(of("1")).await;
    tell(&env, "tp", 600).await;
    wait_for_precision(&env, |ppm| ppm == 1_000_000.0).await;
    env.push(of("2")).await;
    env.envoy.reset_counters().await;
    tell(&env, "tp", 400).await;
    tell(&env, "fp", 44).await;
    wait_for_precision(&env, |ppm| (800_000.0..970_000.0).contains(&ppm)).await;
    look(&env, of("2")).await;
    assert_eq!(trips(&env).await, 0.0);
}

/// So many outcomes, about half of them of each color.
async fn tell(env: &TestEnv, outcome: &str, count: u64) {
    let header = format!("x-bluegreen-outcome: {outcome}");
    let request = get("/").header("x-test-response-header", header);
    send(env, count, request, 200).await;
}

async fn wait_for_precision(env: &TestEnv, is_right: impl Fn(f64) -> bool) {
    let green = [("rollout", "demo"), ("color", "green")];
    let metric = "bluegreen_quality_precision_ppm";
    env.envoy.wait_for_metric(metric, &green, is_right).await;
}

/// The counter of the access log stands where it stood at the failure before, when the filter tests the signal:
/// at one stream in 128.
#[tokio::test]
async fn the_signal_is_trusted_although_its_counter_was_reset() {
    let mut config = limited(json!({ "max_error_rate": 99 }));
    config["profile"] = json!("signalled");
    let env = watched(config, |envoy| envoy).await;
    let client = env.http2();
    let failing = get("/").header("x-test-status", "500");
    client.send(failing.clone()).await;
    for _ in 0..126 {
        client.send(get("/")).await;
    }
    env.envoy.reset_counters().await;
    client.send(failing.clone()).await;
    for _ in 0..20 {
        client.send(failing.clone()).await;
    }
    wait_for(&env, "bluegreen_responses_total", 21.0).await;
    wait_for(&env, "bluegreen_failures_total", 21.0).await;
    let metrics = env.envoy.metrics().await;
    let missed = metrics.find("bluegreen_signal_missed_total", &[]);
    assert_eq!(missed, Feature::Signal.is_there().then_some(0.0));
    assert!(!env.envoy.log().contains("was not signaled"));
}
