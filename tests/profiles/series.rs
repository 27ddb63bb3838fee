//! Which series a profile has.

use std::collections::BTreeSet;

use serde_json::json;
use testbed::{Feature, TestEnv};

use crate::common::{config, failing, wait_for_suspects};
use crate::guarded::counting;

/// What `lean` leaves to Envoy's own stats of the clusters.
const OF_STREAMS: [&str; 8] = [
    "bluegreen_responses_total",
    "bluegreen_in_flight",
    "bluegreen_request_duration_ms_bucket",
    "bluegreen_request_duration_ms_count",
    "bluegreen_request_duration_ms_sum",
    "bluegreen_response_start_ms_bucket",
    "bluegreen_response_start_ms_count",
    "bluegreen_response_start_ms_sum",
];

async fn names(env: &TestEnv) -> BTreeSet<String> {
    let metrics = env.envoy.metrics().await;
    let ours = metrics
        .samples()
        .iter()
        .filter(|it| it.name.starts_with("bluegreen_"));
    ours.map(|it| it.name.clone()).collect()
}

#[tokio::test]
async fn lean_has_no_series_of_streams_and_the_others_have_no_more_than_those() {
    let env = TestEnv::start(config("lean", counting())).await;
    env.http1().send(failing()).await;
    wait_for_suspects(&env, 1).await;
    let lean = names(&env).await;
    for profile in ["signalled", "full"] {
        env.push(config(profile, counting())).await;
        let others: BTreeSet<_> = names(&env).await;
        let added: Vec<_> = others.difference(&lean).map(String::as_str).collect();
        let expected = BTreeSet::from(OF_STREAMS);
        assert_eq!(BTreeSet::from_iter(added), expected, "{profile}");
        assert!(lean.is_subset(&others));
    }
}

#[tokio::test]
async fn without_a_guard_lean_has_but_six_names_and_two_of_the_signal() {
    let env = TestEnv::start(config("lean", json!({}))).await;
    env.http1().send(failing()).await;
    wait_for_suspects(&env, 1).await;
    let mut expected = vec![
        "bluegreen_config_fingerprint",
        "bluegreen_failures_total",
        "bluegreen_requests_total",
        "bluegreen_retried_total",
        "bluegreen_unmatched_total",
        "bluegreen_weight_millipercent",
    ];
    if Feature::Signal.is_there() {
        expected.extend([
            "bluegreen_signal_missed_total",
            "bluegreen_suspect_streams_total",
        ]);
    }
    let expected = expected.into_iter().map(str::to_owned);
    assert_eq!(names(&env).await, expected.collect());
}
