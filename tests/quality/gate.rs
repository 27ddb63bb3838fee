//! The gate: a ramp waits until there are enough samples, and then goes on for good.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use testbed::{bucket, get, with};
use tokio::time::Instant;

use crate::common::{
    config, item, overdue_ramp, rollout, start, tell, wait_for_guard_state, wait_for_weight,
    wait_until_served_by, weight,
};

const GOOD: [u64; 4] = [95, 3, 2, 0];

/// A rollout whose ramp would be at 100 % if it did not wait.
fn gated(name: &str, quality: Value) -> Value {
    let quality = with(
        json!({ "min_samples": 100, "confidence": "none", "min_f1": 90 }),
        quality,
    );
    let fields = json!({ "ramp": overdue_ramp("2s"), "quality": quality });
    with(rollout(name), fields)
}

/// Enough good samples for both colors.
fn enough(rollout: &str) -> Value {
    json!([item(rollout, "blue", GOOD), item(rollout, "green", GOOD)])
}

/// A user that green serves from some weight above `from` on, and up to `to`, in millipercent.
fn user(rollout: &str, from: u32, to: u32) -> String {
    let mut users = (0..).map(|i| format!("user_{i}"));
    let found = users.find(|user| (from..to).contains(&bucket(rollout, user)));
    found.expect("a user")
}

#[tokio::test]
async fn with_too_few_samples_a_ramp_waits_where_it_should() {
    let start_at = SystemTime::now();
    let early = json!({
        "start": humantime::format_rfc3339_millis(start_at).to_string(),
        "steps": [{ "weight": 10, "hold": "1h" }, { "weight": 100 }],
    });
    let no_gate = with(rollout("no_gate"), json!({ "ramp": overdue_ramp("2s") }));
    // Rollouts are looked after in this order, so what `witness` has met all before it have met too.
    let env = start(config([
        gated("first_step", json!({})),
        gated("below", json!({ "hold_at": 2.5 })),
        gated("between", json!({ "hold_at": 30 })),
        gated("second_step", json!({ "hold_at": 50 })),
        gated("at_the_end", json!({ "hold_at": 100 })),
        gated("few_blue", json!({})),
        gated("few_green", json!({})),
        gated("few_and_bad", json!({ "min_f1": 99 })),
        with(gated("early", json!({})), json!({ "ramp": early })),
        no_gate,
        gated("witness", json!({})),
    ]))
    .await;
    // One batch, so that what is told first is there when `witness` has enough.
    let one_less = [94, 3, 2, 0];
    tell(
        &env,
        json!([
            item("few_blue", "blue", one_less),
            item("few_blue", "green", GOOD),
            item("few_green", "blue", GOOD),
            item("few_green", "green", one_less),
            item("few_and_bad", "blue", one_less),
            item("few_and_bad", "green", [0, 500, 500, 0]),
            item("early", "blue", GOOD),
            item("early", "green", GOOD),
            item("witness", "blue", GOOD),
            item("witness", "green", GOOD),
        ]),
    )
    .await;
    wait_for_weight(&env, "witness", 100_000).await;

    let metrics = env.envoy.metrics().await;
    for (rollout, green, state) in [
        ("first_step", 10_000.0, 1.0),
        ("below", 2_500.0, 1.0),
        ("between", 30_000.0, 1.0),
        ("second_step", 50_000.0, 1.0),
        ("at_the_end", 100_000.0, 1.0),
        ("few_blue", 10_000.0, 1.0),
        ("few_green", 10_000.0, 1.0),
        ("few_and_bad", 10_000.0, 1.0),
        ("early", 10_000.0, 0.0),
    ] {
        assert_eq!(weight(&metrics, rollout), green, "{rollout}");
        let shown = metrics.get("bluegreen_guard_state", &[("rollout", rollout)]);
        assert_eq!(shown, state, "{rollout}");
    }
    assert_eq!(weight(&metrics, "no_gate"), 100_000.0);
    assert_eq!(metrics.get("bluegreen_guard_trips_total", &[]), 0.0);

    // One sample more is enough.
    tell(&env, json!([item("few_blue", "blue", [0, 0, 0, 1])])).await;
    wait_for_weight(&env, "few_blue", 100_000).await;
    tell(&env, json!([item("few_green", "green", [0, 0, 0, 1])])).await;
    wait_for_weight(&env, "few_green", 100_000).await;
}

#[tokio::test]
async fn a_promoted_ramp_takes_its_next_step_from_then_on_every_worker() {
    let sticky = json!({ "sticky": [{ "header": "x-user-id" }] });
    let env = start(config([with(gated("rec", json!({})), sticky)])).await;
    let request = |from, to| get("/rec/").header("x-user-id", user("rec", from, to));
    let (first, second, last) = (
        request(0, 10_000),
        request(10_000, 50_000),
        request(50_000, 100_000),
    );
    wait_until_served_by(&env, "green", &first).await;
    wait_until_served_by(&env, "blue", &second).await;
    tell(&env, item("rec", "blue", GOOD)).await;
    wait_until_served_by(&env, "blue", &second).await;

    let before = Instant::now();
    tell(&env, item("rec", "green", GOOD)).await;
    wait_for_weight(&env, "rec", 50_000).await;
    wait_until_served_by(&env, "green", &second).await;
    wait_for_weight(&env, "rec", 100_000).await;
    let stepped_after = before.elapsed();
    assert!(stepped_after >= Duration::from_secs(2), "{stepped_after:?}");
    wait_until_served_by(&env, "green", &last).await;

    let log = env.envoy.log();
    let lines = log
        .matches("rollout rec: the quality gate is passed")
        .count();
    assert_eq!(lines, 1, "{log}");
}

#[tokio::test]
async fn a_promoted_ramp_never_waits_again_for_the_same_release() {
    // Its start belongs to the gate: all pushes must have the same.
    let ramp = overdue_ramp("1h");
    let labelled = |green: &str, fields: Value| {
        let releases = json!({ "blue": "1", "green": green });
        let rec = gated("rec", json!({}));
        with(
            with(rec, json!({ "ramp": ramp, "releases": releases })),
            fields,
        )
    };
    let env = start(config([labelled("2", json!({}))])).await;
    tell(&env, enough("rec")).await;
    wait_for_weight(&env, "rec", 50_000).await;

    let guard = json!({ "window": "30s", "min_requests": 100, "max_error_rate": 50 });
    for (pushed, fields) in [
        json!({}),
        json!({ "sticky": [{ "header": "x-user-id" }] }),
        json!({ "guard": guard }),
        json!({ "salt": "another", "weights": { "blue": 100, "green": 0 } }),
    ]
    .into_iter()
    .enumerate()
    {
        // What `witness` has met, all before it have met too.
        let witness = format!("witness_{pushed}");
        let rollouts = [labelled("2", fields), gated(&witness, json!({}))];
        env.push(config(rollouts)).await;
        assert_eq!(
            weight(&env.envoy.metrics().await, "rec"),
            50_000.0,
            "push {pushed}"
        );
        tell(&env, item("rec", "green", GOOD)).await;
        tell(&env, enough(&witness)).await;
        wait_for_weight(&env, &witness, 100_000).await;
        assert_eq!(
            weight(&env.envoy.metrics().await, "rec"),
            50_000.0,
            "push {pushed}"
        );
    }

    // Another release has to pass the gate itself.
    env.push(config([labelled("3", json!({}))])).await;
    wait_for_weight(&env, "rec", 10_000).await;
    wait_for_guard_state(&env, "rec", 1).await;
    tell(&env, item("rec", "green", GOOD)).await;
    wait_for_weight(&env, "rec", 50_000).await;
}

/// A color that found nothing and had nothing to find can't be judged by its F1.
#[tokio::test]
async fn a_limit_without_a_figure_is_not_judged() {
    let all = json!({ "max_f1_drop": 0, "min_f1": 100, "min_precision": 100, "min_recall": 100 });
    let env = start(config([gated("rec", all)])).await;
    tell(
        &env,
        json!([
            item("rec", "blue", [100, 0, 0, 0]),
            item("rec", "green", [0, 0, 0, 100]),
        ]),
    )
    .await;
    wait_for_weight(&env, "rec", 100_000).await;
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get("bluegreen_guard_trips_total", &[]), 0.0);
}
