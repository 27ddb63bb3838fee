//! The names and labels of all metrics.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use testbed::{PATIENCE, TestEnv, eventually};

use crate::common::{matching, rollout};
use crate::metrics::{Expected, HISTOGRAMS, add, ours, shown, two_rollouts};

/// Labels beside `rollout` and `color`, of each metric but the histograms.
const METRICS: [(&str, &[&str]); 6] = [
    ("bluegreen_requests_total", &["reason"]),
    ("bluegreen_responses_total", &["code_class"]),
    ("bluegreen_failures_total", &[]),
    ("bluegreen_retried_total", &[]),
    ("bluegreen_in_flight", &[]),
    ("bluegreen_weight_millipercent", &[]),
];

const BUCKETS_MS: [&str; 17] = [
    "1", "2", "5", "10", "20", "50", "100", "200", "500", "1000", "2000", "5000", "10000", "30000",
    "60000", "300000", "+Inf",
];

/// Each series is there from the start, so that a rate has a 0 to start from; and none beside them.
#[tokio::test]
async fn all_series_are_there_before_the_first_request_and_no_others() {
    let env = TestEnv::start(two_rollouts()).await;
    let metrics = env.envoy.metrics().await;
    let mut expected = BTreeSet::new();
    let mut expect = |name: &str, labels: &[(&str, &str)]| {
        let labels: BTreeMap<_, _> = labels
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        expected.insert((name.to_owned(), labels));
    };
    expect("bluegreen_config_fingerprint", &[]);
    expect("bluegreen_unmatched_total", &[]);
    for rollout in ["first-1", "second_2"] {
        for color in ["blue", "green"] {
            let of_color = [("rollout", rollout), ("color", color)];
            for (name, labels) in METRICS {
                let values: &[&str] = match labels {
                    ["reason"] => &["sticky", "generated", "random"],
                    ["code_class"] => &["1xx", "2xx", "3xx", "4xx", "5xx", "none"],
                    _ => {
                        expect(name, &of_color);
                        continue;
                    }
                };
                for value in values {
                    expect(name, &[of_color[0], of_color[1], (labels[0], value)]);
                }
            }
            for name in HISTOGRAMS {
                expect(&format!("{name}_sum"), &of_color);
                expect(&format!("{name}_count"), &of_color);
                for bucket in BUCKETS_MS {
                    expect(
                        &format!("{name}_bucket"),
                        &[of_color[0], of_color[1], ("le", bucket)],
                    );
                }
            }
        }
    }
    let shown: BTreeSet<_> = ours(&metrics)
        .map(|sample| (sample.name.clone(), sample.labels.clone()))
        .collect();
    // Which of the other features' series are there is for their tests to say.
    let of_override = |labels: &BTreeMap<String, String>| {
        labels
            .get("reason")
            .is_some_and(|reason| reason == "override")
    };
    let unexpected: Vec<_> = shown
        .difference(&expected)
        .filter(|(_, labels)| !of_override(labels))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    let missing: Vec<_> = expected.difference(&shown).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The words of the metrics' own names may be in a rollout's name.
#[tokio::test]
async fn labels_are_right_whatever_a_rollout_is_called() {
    let names = [
        "rollout",
        "color",
        "reason",
        "because",
        "code_class",
        "my-outcome",
        "blue",
    ];
    let rollouts: Vec<Value> = names
        .iter()
        .map(|name| {
            matching(
                rollout(name, 100_000, json!([])),
                json!({ "path_prefix": format!("/{name}/") }),
            )
        })
        .collect();
    let env = TestEnv::start(json!({ "rollouts": rollouts })).await;
    for name in names {
        env.http1().get(&format!("/{name}/")).await;
    }
    let mut expected = Expected::new();
    for name in names {
        let labels = [("rollout", name), ("color", "green")];
        let with = |label| [labels[0], labels[1], label];
        add(
            &mut expected,
            "bluegreen_requests_total",
            &with(("reason", "random")),
            1.0,
        );
        add(
            &mut expected,
            "bluegreen_responses_total",
            &with(("code_class", "2xx")),
            1.0,
        );
    }
    let counted = || async {
        let mut shown = shown(&env.envoy.metrics().await);
        shown.retain(|(name, _), _| name.ends_with("_total"));
        if shown == expected {
            Ok(())
        } else {
            Err(format!("{shown:#?}"))
        }
    };
    eventually("each rollout's own counts", PATIENCE, counted).await;
}
