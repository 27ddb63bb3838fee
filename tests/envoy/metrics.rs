//! Every metric of the filter, as Prometheus shows it, against what the test sent.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testbed::{Metrics, PushOutcome, Sample, TestEnv, color, fingerprint, get};

use crate::common::{HALF, config, matching, rollout};

pub const HISTOGRAMS: [&str; 2] = [
    "bluegreen_request_duration_ms",
    "bluegreen_response_start_ms",
];

/// What should be shown: a value for a name and its labels.
pub type Expected = BTreeMap<(String, Vec<(String, String)>), f64>;

pub fn add(expected: &mut Expected, name: &str, labels: &[(&str, &str)], value: f64) {
    let mut labels: Vec<_> = labels
        .iter()
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .collect();
    labels.sort();
    *expected.entry((name.to_owned(), labels)).or_default() += value;
}

/// The filter's samples, but for those by which Envoy signals it streams.
pub fn ours(metrics: &Metrics) -> impl Iterator<Item = &Sample> {
    const OF_THE_SIGNAL: [&str; 2] = [
        "bluegreen_suspect_streams_total",
        "bluegreen_signal_missed_total",
    ];
    let is_ours = |sample: &&Sample| {
        sample.name.starts_with("bluegreen_") && !OF_THE_SIGNAL.contains(&sample.name.as_str())
    };
    metrics.samples().iter().filter(is_ours)
}

/// All samples but those of histograms and those at 0.
pub fn shown(metrics: &Metrics) -> Expected {
    let mut shown = Expected::new();
    let plain = |sample: &&Sample| !HISTOGRAMS.iter().any(|name| sample.name.starts_with(name));
    for sample in ours(metrics)
        .filter(plain)
        .filter(|sample| sample.value != 0.0)
    {
        let labels: Vec<_> = sample
            .labels
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        add(&mut shown, &sample.name, &labels, sample.value);
    }
    shown
}

/// Waits until all requests have come to their end.
pub async fn ended(env: &TestEnv, responses: f64) {
    env.envoy
        .wait_for_metric("bluegreen_responses_total", &[], |n| n == responses)
        .await;
    env.envoy
        .wait_for_metric("bluegreen_in_flight", &[], |n| n == 0.0)
        .await;
    // Envoy merges histograms once a second.
    let durations = "bluegreen_request_duration_ms_count";
    env.envoy
        .wait_for_metric(durations, &[], |n| n == responses)
        .await;
}

fn by_user() -> Value {
    json!([{ "header": "x-user-id" }])
}

/// Two rollouts; nothing matches other paths.
pub fn two_rollouts() -> Value {
    let new_cookie = json!([{ "header": "x-user-id" }, { "new_cookie": { "name": "id" } }]);
    json!({ "rollouts": [
        matching(rollout("first-1", HALF, by_user()), json!({ "path_prefix": "/first" })),
        matching(rollout("second_2", 12_345, new_cookie), json!({ "path_prefix": "/second" })),
    ] })
}

#[tokio::test]
async fn all_metrics_equal_what_was_sent() {
    let policy = two_rollouts();
    let env = TestEnv::start(policy.clone()).await;
    let client = env.http1().connection_per_request();
    let mut expected = Expected::new();
    let weights = [("first-1", HALF), ("second_2", 12_345)];
    for (rollout, green) in weights {
        for (color, weight) in [("blue", 100_000 - green), ("green", green)] {
            let labels = [("rollout", rollout), ("color", color)];
            add(
                &mut expected,
                "bluegreen_weight_millipercent",
                &labels,
                weight.into(),
            );
        }
    }
    add(
        &mut expected,
        "bluegreen_config_fingerprint",
        &[],
        fingerprint(policy) as f64,
    );

    let statuses = [200, 204, 301, 302, 404, 429, 500, 503];
    let mut sent: BTreeMap<(&str, String), f64> = BTreeMap::new();
    for i in 0..160 {
        let (rollout, green) = weights[i % 2];
        let status: u16 = statuses[i / 2 % statuses.len()];
        let has_key = i % 5 != 0;
        let mut request = get(if rollout == "first-1" {
            "/first"
        } else {
            "/second?q"
        })
        .header("x-test-status", status.to_string());
        let key = format!("user-{i}");
        if has_key {
            request = request.header("x-user-id", &key);
        }
        let response = client.send(request).await;
        assert_eq!(response.status, status);
        let served_by = response.served_by().expect("an upstream");
        let reason = match (has_key, rollout) {
            (true, _) => "sticky",
            (false, "first-1") => "random",
            (false, _) => "generated",
        };
        if has_key {
            assert_eq!(served_by, color(rollout, &key, green));
        }
        let labels = [("rollout", rollout), ("color", served_by)];
        let with = |label| [labels[0], labels[1], label];
        let class = format!("{}xx", status / 100);
        add(
            &mut expected,
            "bluegreen_requests_total",
            &with(("reason", reason)),
            1.0,
        );
        add(
            &mut expected,
            "bluegreen_responses_total",
            &with(("code_class", &class)),
            1.0,
        );
        if status >= 500 {
            add(&mut expected, "bluegreen_failures_total", &labels, 1.0);
        }
        *sent.entry((rollout, served_by.to_owned())).or_default() += 1.0;
    }
    for _ in 0..7 {
        assert_eq!(client.get("/other").await.served_by(), Some("blue"));
        add(&mut expected, "bluegreen_unmatched_total", &[], 1.0);
    }

    ended(&env, 160.0).await;
    assert!(
        env.connections_per_worker()
            .await
            .iter()
            .all(|&count| count > 10)
    );
    let metrics = env.envoy.metrics().await;
    assert_eq!(shown(&metrics), expected);
    for ((rollout, color), count) in sent {
        let labels = [("rollout", rollout), ("color", color.as_str())];
        for name in HISTOGRAMS {
            assert_eq!(
                metrics.histogram_count(name, &labels),
                count,
                "{name}{labels:?}"
            );
        }
    }
}

#[tokio::test]
async fn counters_survive_pushes_and_gauges_follow_them() {
    let env = TestEnv::start(config(30_000, json!([]))).await;
    let client = env.http1().connection_per_request();
    for (sent, green) in [(10.0, 100_000), (20.0, 1), (30.0, 0)] {
        for _ in 0..10 {
            client.get("/").await;
        }
        let next = config(green, json!([]));
        let expected = fingerprint(next.clone()) as f64;
        env.push(next).await;
        ended(&env, sent).await;
        let metrics = env.envoy.metrics().await;
        assert_eq!(metrics.get("bluegreen_requests_total", &[]), sent);
        let weight = |color| metrics.get("bluegreen_weight_millipercent", &[("color", color)]);
        assert_eq!(
            (weight("blue"), weight("green")),
            (f64::from(100_000 - green), green.into())
        );
        assert_eq!(metrics.get("bluegreen_config_fingerprint", &[]), expected);

        // A rejected one leaves all gauges as they are.
        let rejected = env.envoy.push(json!({ "rollouts": [] })).await;
        assert_eq!(rejected, PushOutcome::Rejected);
        let metrics = env.envoy.metrics().await;
        assert_eq!(metrics.get("bluegreen_config_fingerprint", &[]), expected);
    }
}
