//! Guard, gate and ramp go by copies while the canary serves nobody.

use crate::common::*;
use serde_json::{Value, json};
use std::time::SystemTime;
use testbed::{Behavior, Load, TestEnv, eventually};

const TRIPS: &str = "bluegreen_guard_trips_total";

fn guard() -> Value {
    json!({ "window": "30s", "min_requests": 50, "max_error_rate": 20 })
}

/// A ramp whose start is past.
fn ramp() -> Value {
    let start = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    json!({ "start": start, "steps": [{ "weight": 25, "pause": true }, { "weight": 100 }] })
}

async fn waits_for_trip(env: &TestEnv, rollout: &str, cause: &str) {
    let labels = [("rollout", rollout), ("cause", cause)];
    env.envoy
        .wait_for_metric(TRIPS, &labels, |trips| trips == 1.0)
        .await;
}

#[tokio::test]
async fn a_canary_whose_copies_fail_is_rolled_back_before_any_user_comes_to_it() {
    let limits = rollout("limits", json!({ "guard": guard() }));
    let sequential = rollout("sequential", json!({ "guard": { "sequential": {} } }));
    let env = TestEnv::start(config([limits, sequential])).await;
    env.green.set(Behavior::status(503));
    for name in ["limits", "sequential"] {
        let users = Load::to(env.envoy.addr()).start(move |i| request(name, i));
        let cause = if name == "limits" {
            "error_rate"
        } else {
            "errors_sequential"
        };
        waits_for_trip(&env, name, cause).await;
        let report = users.stop().await;
        assert_eq!(
            report.served_by("blue"),
            report.sent(),
            "a user saw a copy's answer"
        );
        // Once all workers know, nothing is copied any more.
        let is_over = || async {
            let copied = || async { env.envoy.metrics().await.get(COPIED, &[("rollout", name)]) };
            let before = copied().await;
            send(&env, name, 20).await;
            let new = copied().await - before;
            (new == 0.0).then_some(()).ok_or(new.to_string())
        };
        eventually("no more copies", LONG, is_over).await;
    }
}

#[tokio::test]
async fn failures_that_both_colors_share_do_not_roll_back() {
    let fields = json!({ "guard": { "sequential": { "tolerance": 0 } } });
    let env = TestEnv::start(config([rollout("shared", fields)])).await;
    // Requests that are not copied go well: held against them, every copy would look bad.
    env.blue.set_percent(100.0, Behavior::default());
    let load = Load::to(env.envoy.addr()).count(3_000);
    let report = load
        .run(|i| {
            let request = request("shared", i % 300);
            if i % 2 == 0 {
                return request.header("x-test-status", if i % 6 == 0 { "503" } else { "200" });
            }
            testbed::Request {
                method: http::Method::POST,
                ..request
            }
        })
        .await;
    assert_eq!(report.by_status()[&503], 500);
    wait_for_copies(&env, "shared", 1_500).await;
    let metrics = env.envoy.metrics().await;
    let failed = |name: &str| metrics.get(name, &[("rollout", "shared")]);
    assert_eq!(failed("bluegreen_shadow_failures_total"), 500.0);
    assert_eq!(failed("bluegreen_failures_total"), 500.0);
    assert_eq!(failed(TRIPS), 0.0);
    // Of the requests themselves only those count that were copied.
    let finished = "bluegreen_guard_finished_total";
    for color in ["blue", "green"] {
        let labels = [("rollout", "shared"), ("color", color)];
        env.envoy
            .wait_for_metric(finished, &labels, |it| it == 1_500.0)
            .await;
    }
}

#[tokio::test]
async fn a_ramp_begins_when_enough_copies_have_ended() {
    let ramped = |name, copies: u64| {
        let shadow = json!({ "percent": 100, "min_requests": copies });
        rollout(name, json!({ "ramp": ramp(), "shadow": shadow }))
    };
    let env = TestEnv::start(config([ramped("ramped", 60), ramped("sooner", 59)])).await;
    let labels = [("rollout", "ramped")];
    let weight = "bluegreen_weight_millipercent";
    let green = [("rollout", "ramped"), ("color", "green")];
    env.envoy
        .wait_for_metric("bluegreen_ramp_waiting", &labels, |waits| waits == 1.0)
        .await;
    for name in ["ramped", "sooner"] {
        send(&env, name, 59).await;
        wait_for_copies(&env, name, 59).await;
    }
    let sooner = [("rollout", "sooner"), ("color", "green")];
    env.envoy
        .wait_for_metric(weight, &sooner, |it| it == 25_000.0)
        .await;
    assert_eq!(env.envoy.metrics().await.get(weight, &green), 0.0);
    send(&env, "ramped", 1).await;
    env.envoy
        .wait_for_metric(weight, &green, |it| it == 25_000.0)
        .await;
    // From now on real users come to the canary.
    let comes = || async {
        let load = Load::to(env.envoy.addr()).count(100);
        let green = load.run(|i| request("ramped", i)).await.served_by("green");
        (green > 10).then_some(()).ok_or(green.to_string())
    };
    eventually("users at the canary", LONG, comes).await;
}

fn outcome(value: &'static str) -> Behavior {
    Behavior {
        headers: [(
            "x-bluegreen-outcome".parse().expect("a name"),
            value.parse().expect("a value"),
        )]
        .into_iter()
        .collect(),
        ..Behavior::default()
    }
}

/// Over different requests the colors could not be compared.
#[tokio::test]
async fn of_the_stable_color_the_gate_judges_the_requests_that_were_copied() {
    let fields = json!({
        "quality": { "min_samples": 1_000, "min_f1": 80 },
        "shadow": { "percent": 20 },
    });
    let env = TestEnv::start(config([rollout("some", fields)])).await;
    env.blue.set(outcome("tp"));
    env.green.set(outcome("fp"));
    send(&env, "some", 100).await;
    let copied =
        (0..100_u64).filter(|i| testbed::color("some", format!("user-{i}"), 20_000) == "green");
    let copied = copied.count() as f64;
    let samples = "bluegreen_quality_samples";
    for color in ["blue", "green"] {
        let labels = [("rollout", "some"), ("color", color)];
        env.envoy
            .wait_for_metric(samples, &labels, |it| it == copied)
            .await;
    }
    let metrics = env.envoy.metrics().await;
    let blue = [("rollout", "some"), ("color", "blue")];
    assert_eq!(
        metrics.get("bluegreen_quality_outcomes_total", &blue),
        100.0
    );
}

#[tokio::test]
async fn the_gate_goes_by_the_outcomes_of_copies() {
    let fields = json!({
        "quality": { "min_samples": 50, "min_f1": 80, "confidence": "none" },
        "releases": { "blue": "1", "green": "2" },
    });
    let env = TestEnv::start(config([rollout("gated", fields)])).await;
    env.blue.set(outcome("tp"));
    env.green.set(outcome("fp"));
    let users = Load::to(env.envoy.addr()).start(|i| request("gated", i));
    waits_for_trip(&env, "gated", "quality").await;
    let report = users.stop().await;
    assert_eq!(report.served_by("blue"), report.sent());
    let metrics = env.envoy.metrics().await;
    let count = |name: &str, color| metrics.get(name, &[("rollout", "gated"), ("color", color)]);
    assert!(count("bluegreen_shadow_quality_outcomes_total", "green") >= 50.0);
    assert_eq!(count("bluegreen_quality_outcomes_total", "green"), 0.0);
}
