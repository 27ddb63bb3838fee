//! Limits that bare figures are held against: one that is broken rolls back, at the very figure.

use serde_json::{Value, json};
use testbed::{Load, TestEnv, get, with};

use crate::common::{
    BLUE, GREEN, config, feedback, item, overdue_ramp, rollout, start, tell, wait_for_guard_state,
    wait_for_weight, wait_until_served_by, weight,
};

/// In the worked example: the limit at which a figure is just kept, the one that it just breaks, which
/// color is stable, and what the log says.
const LIMITS: [(&str, f64, f64, &str, &str); 4] = [
    (
        "min_f1",
        87.179,
        87.18,
        "blue",
        "min_f1 87.18 % is broken: 87.179 %",
    ),
    (
        "min_precision",
        89.473,
        89.474,
        "blue",
        "min_precision 89.474 % is broken: 89.473 %",
    ),
    (
        "min_recall",
        85.0,
        85.001,
        "blue",
        "min_recall 85.001 % is broken: 85 %",
    ),
    (
        "max_f1_drop",
        5.129,
        5.128,
        "green",
        "max_f1_drop 5.128 % is broken: 82.051 %, stable 87.179 %",
    ),
];

/// Beside the gate a rollout may have a guard, a ramp, or neither.
const KINDS: [&str; 3] = ["plain", "guard", "ramp"];

fn judged(name: &str, kind: &str, stable: &str, limit: &str, percent: f64) -> Value {
    let quality = with(
        json!({ "min_samples": 110, "confidence": "none" }),
        json!({ limit: percent }),
    );
    let rollout = with(
        rollout(name),
        json!({ "stable": stable, "quality": quality }),
    );
    match kind {
        "guard" => {
            let guard = json!({ "window": "30s", "min_requests": 100, "max_error_rate": 5 });
            with(rollout, json!({ "guard": guard }))
        }
        "ramp" => with(rollout, json!({ "ramp": overdue_ramp("1h") })),
        _ => rollout,
    }
}

fn example(rollout: &str) -> [Value; 2] {
    [item(rollout, "blue", BLUE), item(rollout, "green", GREEN)]
}

#[tokio::test]
async fn every_limit_trips_at_its_figure_with_and_without_guard_and_ramp() {
    let (mut kept, mut broken) = (Vec::new(), Vec::new());
    for (limit, keeps, breaks, stable, message) in LIMITS {
        for kind in KINDS {
            let name = |end| format!("{limit}_{kind}_{end}");
            kept.push((name("kept"), kind, stable, limit, keeps, message));
            broken.push((name("broken"), kind, stable, limit, breaks, message));
        }
    }
    let all = || kept.iter().chain(&broken);
    let rollouts: Vec<Value> = all()
        .map(|(name, kind, stable, limit, percent, _)| judged(name, kind, stable, limit, *percent))
        .collect();
    let env = start(config(rollouts)).await;
    let told: Vec<Value> = all().flat_map(|(name, ..)| example(name)).collect();
    tell(&env, told.into()).await;

    for (name, _, stable, _, _, message) in &broken {
        wait_for_guard_state(&env, name, 2).await;
        let weight = if *stable == "blue" { 0 } else { 100_000 };
        wait_for_weight(&env, name, weight).await;
        wait_until_served_by(&env, stable, &get(&format!("/{name}/"))).await;
        let line = format!("rollout {name}: rolled back to {stable}: {message}");
        env.envoy.wait_for_log(&line).await;
        assert_eq!(env.envoy.log().matches(&line).count(), 1, "{line}");
    }
    for (name, kind, ..) in &kept {
        // With a guard, its own judgement is shown: there were too few requests.
        wait_for_guard_state(&env, name, u32::from(*kind == "guard")).await;
        let metrics = env.envoy.metrics().await;
        assert_eq!(weight(&metrics, name), 50_000.0, "{name}");
    }
    let metrics = env.envoy.metrics().await;
    for (name, ..) in all() {
        let trips = |cause| {
            let labels = [("rollout", name.as_str()), ("cause", cause)];
            metrics.get("bluegreen_guard_trips_total", &labels)
        };
        let expected = f64::from(u8::from(name.ends_with("broken")));
        assert_eq!(trips("quality"), expected, "{name}");
    }
    let trips = metrics.get("bluegreen_guard_trips_total", &[]);
    assert_eq!(trips, broken.len() as f64);
}

#[tokio::test]
async fn a_trip_lasts_until_the_rollout_changes() {
    let release = |green: &str| {
        let releases = json!({ "releases": { "blue": "1", "green": green } });
        let rollout = judged("rec", "plain", "blue", "min_f1", 80.0);
        with(rollout, releases)
    };
    let trips = async |env: &TestEnv| {
        let metrics = env.envoy.metrics().await;
        metrics.get(
            "bluegreen_guard_trips_total",
            &[("rollout", "rec"), ("cause", "quality")],
        )
    };
    let env = start(config([release("2")])).await;
    let bad = [60, 25, 25, 0];
    tell(
        &env,
        json!([item("rec", "blue", BLUE), item("rec", "green", bad)]),
    )
    .await;
    wait_for_guard_state(&env, "rec", 2).await;

    // Better figures do not take it back, nor does a push that leaves the rollout alone.
    tell(&env, item("rec", "green", [100_000, 0, 0, 0])).await;
    let other = judged("other", "plain", "blue", "min_f1", 80.0);
    env.push(config([release("2"), other.clone()])).await;
    tell(&env, Value::from(example("other").to_vec())).await;
    wait_for_guard_state(&env, "other", 0).await;
    wait_for_guard_state(&env, "rec", 2).await;
    wait_until_served_by(&env, "blue", &get("/rec/")).await;
    assert_eq!(trips(&env).await, 1.0);

    // Another release begins anew, and may trip anew.
    env.push(config([release("3"), other])).await;
    wait_for_guard_state(&env, "rec", 1).await;
    wait_for_weight(&env, "rec", 50_000).await;
    tell(&env, item("rec", "green", bad)).await;
    wait_for_guard_state(&env, "rec", 2).await;
    assert_eq!(trips(&env).await, 2.0);

    // With figures that are still bad, another field only trips it again.
    let salted = with(release("3"), json!({ "salt": "another" }));
    env.push(config([salted])).await;
    env.envoy
        .wait_for_metric("bluegreen_guard_trips_total", &[("rollout", "rec")], |n| {
            n == 3.0
        })
        .await;
    wait_until_served_by(&env, "blue", &get("/rec/")).await;
}

/// A promoted ramp is still rolled back by what comes to light later.
#[tokio::test]
async fn a_limit_that_breaks_late_trips_all_the_same() {
    let env = start(config([judged("rec", "ramp", "blue", "max_f1_drop", 1.0)])).await;
    tell(&env, Value::from(example("rec").to_vec())).await;
    wait_for_weight(&env, "rec", 50_000).await;
    tell(&env, item("rec", "green", [0, 10, 10, 0])).await;
    wait_for_guard_state(&env, "rec", 2).await;
    wait_for_weight(&env, "rec", 0).await;
    let line = env.envoy.wait_for_log("rollout rec: rolled back").await;
    assert!(
        line.contains("max_f1_drop 1 % is broken: 79.069 %, stable 82.051 %"),
        "{line}"
    );
}

/// Each batch keeps the limit; the first half of each does not.
#[tokio::test]
async fn a_batch_is_judged_as_a_whole() {
    const BATCHES: u64 = 400;
    let env = start(config([judged("rec", "plain", "blue", "min_f1", 80.0)])).await;
    tell(
        &env,
        json!([
            item("rec", "blue", [1_000, 0, 0, 0]),
            item("rec", "green", [1_000, 0, 500, 0])
        ]),
    )
    .await;
    wait_for_guard_state(&env, "rec", 0).await;
    let mut batch = vec![item("rec", "green", [0, 0, 50, 0])];
    batch.extend(vec![item("rec", "blue", [1, 0, 0, 0]); 700]);
    batch.push(item("rec", "green", [100, 0, 0, 0]));
    let batch = feedback(Value::from(batch));
    let load = Load::to(env.envoy.addr()).connections(32).count(BATCHES);
    let taken = load.run(move |_| batch.clone()).await;
    assert_eq!(taken.by_status(), [(204, BATCHES)].into());
    env.assert_all_workers_took_connections().await;
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get("bluegreen_guard_trips_total", &[]), 0.0);
}
