//! Which rollout a request belongs to, by host and path.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testbed::{Load, TestEnv, get};

use crate::common::{config, matching, rollout};

/// Requests decided so far, by rollout.
pub async fn decided(env: &TestEnv) -> BTreeMap<String, u64> {
    let metrics = env.envoy.metrics().await;
    let mut decided = BTreeMap::new();
    for sample in metrics.matching("bluegreen_requests_total", &[]) {
        *decided.entry(sample.labels["rollout"].clone()).or_default() += sample.value as u64;
    }
    decided.retain(|_, count| *count > 0);
    decided
}

#[tokio::test]
async fn the_most_specific_match_decides() {
    let with = |name: &str, matches: Value| matching(rollout(name, 0, json!([])), matches);
    let env = TestEnv::start(json!({ "rollouts": [
        with("any-v1", json!({ "path_prefix": "/v1/" })),
        with("suffix", json!({ "hosts": ["*.shop.example"] })),
        with("any", json!({})),
        with("exact-v1", json!({ "hosts": ["Api.Example.com", "b.example"], "path_prefix": "/v1/" })),
        with("long-suffix", json!({ "hosts": ["*.eu.shop.example"] })),
        with("exact", json!({ "hosts": ["api.example.com"] })),
        with("exact-v1-users", json!({ "hosts": ["api.example.com"], "path_prefix": "/v1/users" })),
    ] }))
    .await;
    let table = [
        ("api.example.com", "/", "exact"),
        ("API.example.COM:8443", "/v1", "exact"),
        ("api.example.com", "/v1/?user=/v1/users", "exact-v1"),
        ("api.example.com", "/v1/users", "exact-v1-users"),
        ("api.example.com", "/v1/usersandmore", "exact-v1-users"),
        ("b.example", "/v1/users", "exact-v1"),
        ("b.example", "/V1/", "any"),
        ("b.example", "/v2/", "any"),
        ("a.shop.example", "/v1/", "suffix"),
        ("a.b.c.Shop.Example:80", "/", "suffix"),
        ("de.eu.shop.example", "/", "long-suffix"),
        ("eu.shop.example", "/", "suffix"),
        ("shop.example", "/", "any"),
        ("myshop.example", "/v1/", "any-v1"),
        ("a.shop.example.org", "/", "any"),
        ("127.0.0.1:10000", "/v1/x", "any-v1"),
        ("[::1]:10000", "/", "any"),
        // Normalised by Envoy before the filter sees them.
        ("api.example.com", "/v2/../v1//users", "exact-v1-users"),
        ("api.example.com", "/%76%31/users", "exact-v1-users"),
    ];
    for client in [env.http1(), env.http2()] {
        for (host, path, expected) in table {
            let mut before = decided(&env).await;
            let response = client.send(get(path).host(host)).await;
            assert_eq!(response.status, 200);
            *before.entry(expected.to_owned()).or_default() += 1;
            assert_eq!(decided(&env).await, before, "{host} {path}");
        }
    }
}

#[tokio::test]
async fn a_thousand_rollouts_are_told_apart() {
    let with = |i: u32| {
        let matches = match i % 3 {
            0 => json!({ "hosts": [format!("h{i}.example")] }),
            1 => json!({ "hosts": [format!("*.s{i}.example")] }),
            _ => json!({ "path_prefix": format!("/p{i}/") }),
        };
        matching(
            rollout(&format!("r{i}"), 100_000 * (i / 3 % 2), json!([])),
            matches,
        )
    };
    let rollouts: Vec<Value> = (0..1_000).map(with).collect();
    let env = TestEnv::start(config(0, json!([]))).await;
    env.push(json!({ "rollouts": rollouts })).await;
    let request = |i: u64| match i % 3 {
        0 => get("/").host(format!("h{i}.example")),
        1 => get("/").host(format!("a.b.s{i}.example")),
        _ => get(&format!("/p{i}/x")).host("a.example"),
    };
    let report = Load::to(env.envoy.addr()).count(1_000).run(request).await;
    for outcome in &report.outcomes {
        let i = outcome.index;
        let expected = if i / 3 % 2 == 1 { "green" } else { "blue" };
        assert_eq!(outcome.served_by.as_deref(), Some(expected), "r{i}");
    }
    let each: BTreeMap<String, u64> = (0..1_000).map(|i| (format!("r{i}"), 1)).collect();
    assert_eq!(decided(&env).await, each);
}
