//! Scores that come in bodies: how they are judged, what is no score, and a million of them.

use serde_json::{Value, json};
use testbed::{Load, TestEnv, get, with};

use crate::common::{
    config, counted, feedback, overdue_ramp, rollout, start, tell, unmeasured,
    wait_for_guard_state, wait_for_weight, wait_until_served_by,
};
use crate::refused::reason;
use crate::scores::{scored, shown, wait_for_score};

/// Feedback of scores.
fn told(rollout: &str, color: &str, scores: Value) -> Value {
    json!({ "rollout": rollout, "color": color, "scores": scores })
}

/// So many scores of which half are one below the mean and half above.
fn sums(count: u64, mean: f64) -> Value {
    let count_f = count as f64;
    json!({ "count": count, "sum": count_f * mean, "sum_squares": count_f * (mean * mean + 1.0) })
}

async fn wait_for_verdict(env: &TestEnv, rollout: &str, limit: &str, verdict: f64) {
    let labels = [("rollout", rollout), ("limit", limit)];
    let is_right = |shown| shown == verdict;
    env.envoy
        .wait_for_metric("bluegreen_quality_verdict", &labels, is_right)
        .await;
}

#[tokio::test]
async fn scores_are_taken_as_lists_and_sums() {
    let env = start(config([scored("rec", json!({}))])).await;
    tell(
        &env,
        told(
            "rec",
            "green",
            json!({ "rating": [4, 5, 3.5], "cost": [0.02] }),
        ),
    )
    .await;
    let sums = json!({ "rating": { "count": 100, "sum": 412, "sum_squares": 1763 } });
    tell(&env, json!([told("rec", "green", sums)])).await;
    wait_for_score(&env, "rec", "green", "rating", [103.0, 4_121_359.0]).await;
    wait_for_score(&env, "rec", "green", "cost", [1.0, 20_000.0]).await;
    env.assert_no_vm_died().await;
}

#[tokio::test]
async fn what_can_not_be_is_refused_and_counts_nowhere() {
    let labels = json!({ "releases": { "blue": "1", "green": "2" } });
    let nothing = with(unmeasured("nothing"), json!({}));
    let env = start(config([scored("rec", labels), nothing])).await;
    let green = |more: &str| format!(r#"{{"rollout":"rec","color":"green","tp":1{more}}}"#);
    let good = green(r#","scores":{"rating":[4]}"#);
    let long = "i".repeat(10_240);
    for (bad, status) in [
        (green(r#","scores":{"rating":[NaN]}"#), 400),
        (green(r#","scores":{"rating":[Infinity]}"#), 400),
        (green(r#","scores":{"rating":[1e400]}"#), 400),
        (green(r#","scores":{"rating":[-0.1]}"#), 400),
        (green(r#","scores":{"rating":[1000000001]}"#), 400),
        (green(r#","scores":{"stars":[4]}"#), 400),
        (
            green(r#","scores":{"rating":{"count":2,"sum":10,"sum_squares":49.9}}"#),
            400,
        ),
        (green(&format!(r#","id":"{long}""#)), 400),
        (green(r#","id":"""#), 400),
        (green(r#","release":"1""#), 409),
        (
            r#"{"rollout":"rec","color":"blue","tp":1,"release":"2"}"#.to_owned(),
            409,
        ),
        (
            r#"{"rollout":"nothing","color":"blue","tp":1}"#.to_owned(),
            400,
        ),
    ] {
        let body = format!("[{good},{bad},{good}]");
        let response = env.http1().send(feedback(body)).await;
        reason(&response, status);
    }
    let metrics = env.envoy.metrics().await;
    for color in ["blue", "green"] {
        assert_eq!(counted(&metrics, "rec", color), [0; 4]);
    }
    // What comes after it is all that has counted.
    let release = r#","release":"2","scores":{"rating":[4]}"#;
    assert_eq!(env.http1().send(feedback(green(release))).await.status, 204);
    wait_for_score(&env, "rec", "green", "rating", [1.0, 4_000_000.0]).await;
    assert_eq!(
        counted(&env.envoy.metrics().await, "rec", "green"),
        [1, 0, 0, 0]
    );
    assert_eq!((env.blue.count(), env.green.count()), (0, 0));
    env.assert_no_vm_died().await;
}

#[tokio::test]
async fn limits_roll_back_wait_and_pass_each_with_its_verdict() {
    let env = start(config([
        scored("worse", json!({})),
        scored("unsure", json!({})),
        with(
            scored("better", json!({})),
            json!({ "ramp": overdue_ramp("1h") }),
        ),
    ]))
    .await;
    let both = |name: &str, count: u64, rating: f64, cost: f64| {
        let green = json!({ "rating": sums(count, rating), "cost": sums(count, cost) });
        let blue = json!({ "rating": sums(count, 4.0), "cost": sums(count, 10.0) });
        json!([told(name, "green", green), told(name, "blue", blue)])
    };
    for items in [
        both("worse", 10_000, 3.0, 10.0),
        both("unsure", 200, 3.6, 10.0),
        both("better", 10_000, 4.2, 9.0),
    ] {
        assert_eq!(env.http1().send(feedback(items)).await.status, 204);
    }
    wait_for_verdict(&env, "worse", "rating_max_drop", 2.0).await;
    wait_for_verdict(&env, "worse", "rating_min", 1.0).await;
    wait_for_verdict(&env, "worse", "cost_max_rise_percent", 1.0).await;
    wait_for_guard_state(&env, "worse", 2).await;
    wait_for_weight(&env, "worse", 0).await;
    wait_until_served_by(&env, "blue", &get("/worse/")).await;
    let line = "rollout worse: rolled back to blue: rating max_drop 0.5 is broken: mean 3, stable 4; \
                with 95 % confidence 2.9";
    env.envoy.wait_for_log(line).await;
    env.envoy.wait_for_log(", the drop 0.9").await;
    let metrics = env.envoy.metrics().await;
    let trips = [("rollout", "worse"), ("cause", "quality")];
    assert_eq!(metrics.get("bluegreen_guard_trips_total", &trips), 1.0);
    let [samples, mean, low, high] = shown(&metrics, "worse", "green", "rating");
    assert_eq!([samples, mean], [10_000.0, 3_000_000.0]);
    assert!(2_900_000.0 < low && low < mean && mean < high && high < 3_100_000.0);

    wait_for_verdict(&env, "unsure", "cost_max_rise_percent", 1.0).await;
    wait_for_verdict(&env, "unsure", "rating_max_drop", 0.0).await;
    wait_for_guard_state(&env, "unsure", 1).await;

    wait_for_weight(&env, "better", 50_000).await;
    wait_for_guard_state(&env, "better", 0).await;
    for limit in ["rating_max_drop", "rating_min", "cost_max_rise_percent"] {
        wait_for_verdict(&env, "better", limit, 1.0).await;
    }
    // A new release begins with nothing known, and a limit that is gone shows nothing.
    let relabelled = json!({ "releases": { "blue": "1", "green": "2" } });
    let plain = json!({ "quality": { "min_samples": 100, "min_f1": 1 }, "releases": { "blue": "1", "green": "1" } });
    env.push(config([
        scored("worse", relabelled),
        scored("unsure", json!({})),
        with(rollout("better"), plain),
    ]))
    .await;
    wait_for_verdict(&env, "worse", "rating_max_drop", 0.0).await;
    wait_for_score(&env, "worse", "green", "rating", [0.0, 0.0]).await;
    wait_for_verdict(&env, "better", "rating_min", 0.0).await;
    wait_for_score(&env, "better", "green", "rating", [0.0, 0.0]).await;
    env.assert_no_vm_died().await;
}

/// A million scores in batches of 10,000, of which each comes twice, under the same ids.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_scores_are_added_up_exactly_while_requests_flow() {
    const BATCHES: u64 = 100;
    const ITEMS: u64 = 10;
    const SCORES: u64 = 1_000;
    let env = start(config([scored("rec", json!({}))])).await;
    // Of 1,000: 0.01, 0.02 … 10.00, as no sum in floating point has it.
    let list: Vec<String> = (1..=SCORES)
        .map(|score| format!("{}.{:02}", score / 100, score % 100))
        .collect();
    let list = list.join(",");
    let batch = move |number: u64| {
        let items = (0..ITEMS / 2).flat_map(|item| ["blue", "green"].map(|color| (item, color)));
        let items = items.map(|(item, color)| {
            format!(r#"{{"rollout":"rec","color":"{color}","id":"{number}-{item}-{color}","scores":{{"rating":[{list}]}}}}"#)
        });
        feedback(format!("[{}]", items.collect::<Vec<_>>().join(",")))
    };
    let load = |connections, per_second, count| {
        let load = Load::to(env.envoy.addr()).connections(connections);
        load.per_second(per_second).count(count)
    };
    let (batches, requests) = tokio::join!(
        load(4, 100.0, 2 * BATCHES).run(move |number| batch(number / 2)),
        load(8, 500.0, 1_000).run(|_| get("/rec/")),
    );
    assert_eq!(batches.by_status(), [(204, 2 * BATCHES)].into());
    assert_eq!(requests.by_status(), [(200, 1_000)].into());
    let each = (BATCHES * ITEMS * SCORES / 2) as f64;
    for color in ["blue", "green"] {
        wait_for_score(&env, "rec", color, "rating", [each, 5_005_000.0]).await;
    }
    env.assert_no_vm_died().await;
}
