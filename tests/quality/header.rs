//! Outcomes that the upstream itself tells, in a response header.

use serde_json::{Value, json};
use testbed::{Response, TestEnv, get, with};

use crate::common::{
    Counts, KINDS, config, counted, rollout, start, telling, unmeasured, wait_for_figures,
};

const HEADER: &str = "x-bluegreen-outcome";

#[track_caller]
fn assert_hidden(response: &Response) {
    assert!(
        response.headers.get(HEADER).is_none(),
        "{:?}",
        response.headers
    );
}

async fn all_counted(env: &TestEnv, rollout: &str) -> Counts {
    let metrics = env.envoy.metrics().await;
    let [blue, green] = ["blue", "green"].map(|color| counted(&metrics, rollout, color));
    std::array::from_fn(|kind| blue[kind] + green[kind])
}

#[tokio::test]
async fn outcomes_count_for_the_color_that_served_and_the_client_never_sees_them() {
    let env = start(config([rollout("rec"), rollout("other")])).await;
    let clients = [env.http1().connection_per_request(), env.http2()];
    let mut expected = [[0; 4]; 2];
    for sent in 0..160 {
        let kind = sent % 7 % 4;
        let request = telling("rec", KINDS[kind]).header("x-test-status", ["200", "500"][sent % 2]);
        let response = clients[sent % 2].send(request).await;
        assert_hidden(&response);
        let is_green = response.served_by() == Some("green");
        expected[usize::from(is_green)][kind] += 1;
    }
    assert!(
        expected
            .iter()
            .all(|counts| counts.iter().sum::<u64>() > 20),
        "{expected:?}"
    );
    for (color, counts) in ["blue", "green"].into_iter().zip(expected) {
        let metrics = env.envoy.metrics().await;
        assert_eq!(counted(&metrics, "rec", color), counts, "{color}");
        wait_for_figures(&env, "rec", color, counts).await;
    }
    assert_eq!(all_counted(&env, "other").await, [0; 4]);
}

#[tokio::test]
async fn a_response_counts_once_and_all_its_outcome_headers_are_removed() {
    let env = start(config([rollout("rec")])).await;
    let request = telling("rec", "tp")
        .header("x-test-response-header", "X-BlueGreen-Outcome: fp")
        .header("x-test-response-header", "x-bluegreen-outcome: tp");
    assert_hidden(&env.http1().send(request).await);
    assert_eq!(all_counted(&env, "rec").await, [1, 0, 0, 0]);
}

#[tokio::test]
async fn unknown_outcomes_are_removed_and_not_counted() {
    let env = start(config([rollout("rec")])).await;
    let long = "tp".repeat(5_000);
    let unknown: [&[u8]; 9] = [
        b"",
        b"TP",
        b"true",
        b"tp1",
        b"t p",
        b"1",
        b"t\xff",
        b"tp\xff",
        long.as_bytes(),
    ];
    for outcome in unknown {
        let response = env.http1().send(telling("rec", outcome)).await;
        assert_eq!(response.status, 200, "{outcome:?}");
        assert_hidden(&response);
    }
    assert_eq!(all_counted(&env, "rec").await, [0; 4]);
    // Space around it belongs to HTTP.
    assert_hidden(&env.http1().send(telling("rec", "  fn ")).await);
    assert_eq!(all_counted(&env, "rec").await, [0, 0, 1, 0]);
}

#[tokio::test]
async fn outcomes_that_a_client_forges_do_nothing() {
    let env = start(config([rollout("rec")])).await;
    for outcome in KINDS {
        let forged = get("/rec/").header(HEADER, outcome).header(HEADER, outcome);
        for client in [env.http1(), env.http2()] {
            let response = client.send(forged.clone()).await;
            assert_eq!(response.status, 200);
            assert_hidden(&response);
        }
    }
    assert_eq!(all_counted(&env, "rec").await, [0; 4]);
    // What the upstream says counts, whatever the client has said.
    let both = telling("rec", "fn").header(HEADER, "tp");
    assert_hidden(&env.http1().send(both).await);
    assert_eq!(all_counted(&env, "rec").await, [0, 0, 1, 0]);
}

#[tokio::test]
async fn outcomes_of_overridden_requests_are_removed_and_not_counted() {
    let overrides = json!({ "override": { "header": "x-bluegreen", "require": "nothing" } });
    let env = start(config([with(rollout("rec"), overrides)])).await;
    for color in ["blue", "green"] {
        let response = env
            .http1()
            .send(telling("rec", "tp").header("x-bluegreen", color))
            .await;
        assert_eq!(response.served_by(), Some(color));
        assert_hidden(&response);
    }
    assert_eq!(all_counted(&env, "rec").await, [0; 4]);
    // A wish for no color is no override.
    assert_hidden(
        &env.http1()
            .send(telling("rec", "tp").header("x-bluegreen", "red"))
            .await,
    );
    assert_eq!(all_counted(&env, "rec").await, [1, 0, 0, 0]);
}

#[tokio::test]
async fn the_header_is_left_alone_only_where_nothing_measures_quality() {
    let only = |fields: Value| json!({ "rollouts": [with(unmeasured("rec"), fields)] });
    let env = TestEnv::start(only(json!({}))).await;
    let response = env.http1().send(telling("rec", "tp")).await;
    assert_eq!(response.header(HEADER), Some("tp"));
    let metrics = env.envoy.metrics().await;
    let names = metrics.samples().iter().map(|sample| sample.name.as_str());
    assert!(!names.into_iter().any(|name| name.contains("quality")));

    // No endpoint is needed for the header to count.
    for (counts, fields) in [
        (
            1,
            json!({ "quality": { "min_samples": 100, "min_f1": 50 } }),
        ),
        (
            2,
            json!({ "releases": { "green": "2" }, "weights": { "blue": 100, "green": 0 } }),
        ),
    ] {
        env.push(only(fields)).await;
        assert_hidden(&env.http1().send(telling("rec", "tp")).await);
        assert_eq!(all_counted(&env, "rec").await, [counts, 0, 0, 0]);
    }
}
