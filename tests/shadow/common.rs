//! Rollouts whose requests are copied, and what Envoy shows of the copies.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Request, TestEnv, get, merge};

pub const REQUESTS: &str = "bluegreen_shadow_requests_total";
pub const RESPONSES: &str = "bluegreen_shadow_responses_total";
pub const COPIED: &str = "bluegreen_shadow_copied_total";

/// How long a test waits for what takes seconds, on a machine that is busy with others.
pub const LONG: Duration = Duration::from_secs(90);

/// A rollout at `/NAME` whose canary serves nobody and gets a copy of every request; these fields beside or instead of
/// the usual.
pub fn rollout(name: &str, fields: Value) -> Value {
    let mut rollout = json!({
        "name": name,
        "match": { "path_prefix": format!("/{name}") },
        "clusters": { "blue": "blue", "green": "green" },
        "weights": { "blue": 100, "green": 0 },
        "sticky": [{ "header": "x-user-id" }],
        "shadow": { "percent": 100 },
    });
    merge(&mut rollout, fields);
    rollout
}

pub fn config(rollouts: impl Into<Vec<Value>>) -> Value {
    json!({ "rollouts": rollouts.into() })
}

/// The i-th request to a rollout, each of another user.
pub fn request(rollout: &str, i: u64) -> Request {
    get(&format!("/{rollout}")).header("x-user-id", format!("user-{i}"))
}

/// Sends so many requests, one after the other. Each is answered by blue.
pub async fn send(env: &TestEnv, rollout: &str, count: u64) {
    let client = env.http1();
    for i in 0..count {
        let response = client.send(request(rollout, i)).await;
        assert_eq!((response.status, response.served_by()), (200, Some("blue")));
    }
}

/// Waits until so many copies have ended.
pub async fn wait_for_copies(env: &TestEnv, rollout: &str, count: u64) {
    let labels = [("rollout", rollout), ("color", "green")];
    let is_right = |found: f64| found == count as f64;
    env.envoy
        .wait_for_metric(RESPONSES, &labels, is_right)
        .await;
}
