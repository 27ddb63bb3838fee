//! Answers of both colors to one request are compared.

use crate::common::*;
use serde_json::{Value, json};
use testbed::{Behavior, Load, TestEnv};

const COMPARED: &str = "bluegreen_shadow_compared_total";
const DISAGREEMENTS: &str = "bluegreen_shadow_disagreements_total";

fn comparing(fields: Value) -> Value {
    let mut shadow = json!({ "percent": 100, "compare": true });
    testbed::merge(&mut shadow, fields);
    json!({ "shadow": shadow })
}

fn labeled(label: &str) -> Behavior {
    let name = "x-bluegreen-label".parse().expect("a name");
    let value = http::HeaderValue::from_bytes(label.as_bytes()).expect("a value");
    Behavior {
        headers: [(name, value)].into_iter().collect(),
        ..Behavior::default()
    }
}

/// Almost all of so many requests that have been copied: an answer may be displaced by another before its counterpart comes.
async fn wait_for_compared(env: &TestEnv, copies: u64) -> f64 {
    wait_for_copies(env, "both", copies).await;
    let labels = [("rollout", "both")];
    let almost = copies as f64 * 0.9;
    env.envoy
        .wait_for_metric(COMPARED, &labels, |it| it >= almost)
        .await;
    env.envoy.metrics().await.get(COMPARED, &labels)
}

#[tokio::test]
async fn answers_are_compared_by_request_over_workers_and_labels_stay_inside() {
    let env = TestEnv::start(config([rollout("both", comparing(json!({})))])).await;
    env.blue.set(labeled("cat"));
    env.green.set(labeled("cat"));
    let load = |count| Load::to(env.envoy.addr()).connections(8).count(count);
    let report = load(200).run(|i| request("both", i)).await;
    assert_eq!(report.served_by("blue"), 200);
    let labels = [("rollout", "both")];
    let agreed = wait_for_compared(&env, 200).await;
    assert_eq!(env.envoy.metrics().await.get(DISAGREEMENTS, &labels), 0.0);
    env.green.set(labeled("dog"));
    load(100).run(|i| request("both", i)).await;
    let compared = wait_for_compared(&env, 300).await;
    let disagreed = env.envoy.metrics().await.get(DISAGREEMENTS, &labels);
    assert_eq!(disagreed, compared - agreed);
    let share = "bluegreen_shadow_disagreement_ppm";
    let is_right = |it| it == (disagreed * 1e6 / compared).floor();
    env.envoy.wait_for_metric(share, &labels, is_right).await;
    let response = env.http1().send(request("both", 1)).await;
    assert_eq!(response.header("x-bluegreen-label"), None);
}

#[tokio::test]
async fn what_is_no_label_is_compared_with_nothing() {
    let env = TestEnv::start(config([rollout("odd", comparing(json!({})))])).await;
    env.blue.set(labeled("cat"));
    for label in ["", &"x".repeat(33), &"é".repeat(33)] {
        env.green.set(labeled(label));
        send(&env, "odd", 5).await;
    }
    wait_for_copies(&env, "odd", 15).await;
    env.blue.set(labeled(&"é".repeat(32)));
    env.green.set(labeled(&"é".repeat(32)));
    send(&env, "odd", 5).await;
    let labels = [("rollout", "odd")];
    env.envoy
        .wait_for_metric(COMPARED, &labels, |it| it == 5.0)
        .await;
    assert_eq!(env.envoy.metrics().await.get(DISAGREEMENTS, &labels), 0.0);
}

#[tokio::test]
async fn too_much_disagreement_rolls_back() {
    let limit = comparing(json!({ "max_disagreement": 10, "min_requests": 100 }));
    let env = TestEnv::start(config([rollout("limited", limit)])).await;
    env.blue.set(labeled("cat"));
    env.green.set_percent(50.0, labeled("dog"));
    // The other half has no label; a good one has.
    let users = Load::to(env.envoy.addr()).start(|i| {
        let request = request("limited", i);
        request.header("x-test-response-header", "x-other: 1")
    });
    let line = env
        .envoy
        .wait_for_log("max_disagreement 10 % is broken")
        .await;
    assert!(line.contains("rolled back to blue"), "{line}");
    let report = users.stop().await;
    assert_eq!(report.served_by("blue"), report.sent());
}
