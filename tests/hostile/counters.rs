//! Counters that fall, as by Envoy's `/reset_counters`.

use serde_json::{Value, json};
use testbed::{Behavior, TestEnv, get};

use crate::common::{
    config, failures, guard, look, send, trips, wait_for, wait_for_rollback, wait_for_state,
    watched,
};

fn limited_to(percent: u32) -> Value {
    config(json!({ "guard": guard(json!({ "max_error_rate": percent })) }))
}

/// Good requests, so many that what comes after the reset would long be less.
async fn begin(bed: &TestEnv, count: u64) {
    send(bed, count, get("/"), 200).await;
    wait_for(bed, "bluegreen_responses_total", count as f64).await;
    wait_for_state(bed, 0).await;
}

#[tokio::test]
async fn failures_below_the_limit_do_not_roll_back_after_a_reset() {
    let bed = watched(limited_to(20), |envoy| envoy).await;
    begin(&bed, 300).await;
    bed.envoy.reset_counters().await;
    // One in ten, until there are more of all than before.
    for _ in 0..36 {
        send(&bed, 9, get("/"), 200).await;
        send(&bed, 1, get("/").header("x-test-status", "500"), 500).await;
    }
    wait_for(&bed, "bluegreen_responses_total", 360.0).await;
    wait_for_state(&bed, 0).await;
    look(&bed, limited_to(20)).await;
    assert_eq!((trips(&bed).await, failures(&bed).await), (0.0, 36.0));
}

#[tokio::test]
async fn failures_after_a_reset_are_all_seen() {
    const FAILURES: u64 = 200;
    let limits = json!({ "max_error_rate": 5, "min_requests": FAILURES });
    let bed = watched(config(json!({ "guard": guard(limits) })), |envoy| envoy).await;
    begin(&bed, 300).await;
    bed.envoy.reset_counters().await;
    // Fewer than the good ones before: no count is as high as it was.
    bed.green.set(Behavior::status(500));
    send(&bed, FAILURES, get("/"), 500).await;
    wait_for_rollback(&bed, "error_rate").await;
}

#[tokio::test]
async fn a_precision_of_ninety_percent_stays_one_after_a_reset() {
    let quality = json!({ "min_samples": 100, "min_precision": 75 });
    let config = config(json!({
        "weights": { "blue": 50, "green": 50 },
        "quality": quality,
        "releases": { "blue": "1", "green": "2" },
    }));
    let bed = watched_for_quality(config.clone()).await;
    measure(&bed, 1).await;
    bed.envoy.reset_counters().await;
    measure(&bed, 1).await;
    measure(&bed, 1).await;
    look(&bed, config).await;
    let metrics = bed.envoy.metrics().await;
    let green = [("rollout", "demo"), ("color", "green")];
    let precision = metrics.get("bluegreen_quality_precision_ppm", &green);
    assert!((850_000.0..=950_000.0).contains(&precision), "{precision}");
    assert_eq!(trips(&bed).await, 0.0);
}

async fn watched_for_quality(config: Value) -> TestEnv {
    TestEnv::start_with(|envoy| envoy.config(config)).await
}

/// Nine right positives for each wrong one, to about 250 users of each color, and the gate sees them.
async fn measure(bed: &TestEnv, rounds: u64) {
    for _ in 0..rounds {
        for (count, outcome) in [(450, "tp"), (50, "fp")] {
            let header = format!("x-bluegreen-outcome: {outcome}");
            send(
                bed,
                count,
                get("/").header("x-test-response-header", header),
                200,
            )
            .await;
        }
    }
    let green = [("rollout", "demo"), ("color", "green")];
    let right = |precision| (850_000.0..=950_000.0).contains(&precision);
    let metric = "bluegreen_quality_precision_ppm";
    bed.envoy.wait_for_metric(metric, &green, right).await;
}

#[tokio::test]
async fn the_signal_is_trusted_after_a_reset() {
    let mut config = limited_to(99);
    config["profile"] = json!("signalled");
    let bed = watched(config.clone(), |envoy| envoy).await;
    let failing = get("/").header("x-test-status", "500");
    for (round, good) in [100, 0, 50].into_iter().enumerate() {
        if round > 0 {
            bed.envoy.reset_counters().await;
        }
        if good > 0 {
            send(&bed, good, get("/"), 200).await;
        }
        send(&bed, 20, failing.clone(), 500).await;
        wait_for(&bed, "bluegreen_responses_total", (good + 20) as f64).await;
        wait_for(&bed, "bluegreen_failures_total", 20.0).await;
        let metrics = bed.envoy.metrics().await;
        assert_eq!(metrics.get("bluegreen_signal_missed_total", &[]), 0.0);
    }
    assert!(!bed.envoy.log().contains("was not signalled"));
}
