//! Scores: what is counted of them, how they are judged, and what is no score.

use serde_json::{Value, json};
use testbed::{Metrics, PATIENCE, Request, TestEnv, eventually, get, post, with};

use crate::common::{PATH, TOKEN, TOKEN_HEADER, config, counted, rollout, start};

const HEADER: &str = "x-bluegreen-score";

/// A rollout with two scores, whose limits are far from what the tests tell, and other fields.
pub fn scored(name: &str, more: Value) -> Value {
    let scores = json!({
        "rating": { "better": "higher", "max_drop": 0.5, "min": 1 },
        "cost": { "better": "lower", "max_rise_percent": 50 },
    });
    let quality = json!({ "quality": { "min_samples": 100, "scores": scores } });
    with(with(rollout(name), quality), more)
}

/// Samples, and the mean and the ends of its interval in millionths.
pub fn shown(metrics: &Metrics, rollout: &str, color: &str, score: &str) -> [f64; 4] {
    let labels = [("rollout", rollout), ("color", color), ("score", score)];
    ["samples", "mean_micro", "low_micro", "high_micro"]
        .map(|figure| metrics.get(&format!("bluegreen_score_{figure}"), &labels))
}

pub async fn wait_for_score(
    env: &TestEnv,
    rollout: &str,
    color: &str,
    score: &str,
    expected: [f64; 2],
) {
    let is_shown = || async {
        let [samples, mean, ..] = shown(&env.envoy.metrics().await, rollout, color, score);
        ([samples, mean] == expected)
            .then_some(())
            .ok_or_else(|| format!("{samples} samples, mean {mean}, expected {expected:?}"))
    };
    let what = format!("{score} of {rollout} {color}");
    eventually(&what, PATIENCE, is_shown).await;
}

/// Feedback in the query.
fn by_query(query: &str) -> Request {
    post(&format!("{PATH}?{query}"), "").header(TOKEN_HEADER, TOKEN)
}

#[tokio::test]
async fn scores_are_taken_as_parameters_and_headers() {
    let env = start(config([scored("rec", json!({}))])).await;
    let before = shown(&env.envoy.metrics().await, "rec", "blue", "rating")[0];
    assert_eq!(before, 0.0);
    let request = by_query("rollout=rec&color=blue&score.rating=4.5&score.cost=2e-2&tp=1");
    assert_eq!(env.http1().send(request).await.status, 204);
    wait_for_score(&env, "rec", "blue", "rating", [1.0, 4_500_000.0]).await;
    wait_for_score(&env, "rec", "blue", "cost", [1.0, 20_000.0]).await;
    assert_eq!(
        counted(&env.envoy.metrics().await, "rec", "blue"),
        [1, 0, 0, 0]
    );
    assert_eq!(
        env.http2()
            .send(by_query("rollout=rec&color=green&score.stars=1"))
            .await
            .status,
        400
    );

    // What an upstream says of its own answer, and no client.
    env.push(config([scored(
        "rec",
        json!({ "weights": { "blue": 100, "green": 0 } }),
    )]))
    .await;
    for told in [
        "rating=5.5, cost=0.04",
        "rating=NaN",
        "rating=1, stars=2",
        "rating=-1",
    ] {
        let header = format!("X-Bluegreen-Score: {told}");
        let request = get("/rec/").header("x-test-response-header", header);
        let response = env.http1().send(request.header(HEADER, "rating=1")).await;
        assert_eq!(
            (response.status, response.header(HEADER)),
            (200, None),
            "{told}"
        );
    }
    for client in [env.http1(), env.http2()] {
        let response = client.send(get("/rec/").header(HEADER, "rating=1")).await;
        assert_eq!(response.status, 200);
    }
    wait_for_score(&env, "rec", "blue", "rating", [2.0, 5_000_000.0]).await;
    wait_for_score(&env, "rec", "blue", "cost", [2.0, 30_000.0]).await;
    env.assert_no_vm_died().await;
}

/// Retries go over other connections, and so to other workers too.
#[tokio::test]
async fn id_counts_once_whichever_workers_take_it() {
    let env = start(config([
        scored("rec", json!({})),
        scored("other", json!({})),
    ]))
    .await;
    let client = env.http1().connection_per_request();
    for round in 0..6 {
        for id in 0..5 {
            let query = format!("rollout=rec&color=green&tp=1&score.rating=4&id=item-{id}");
            assert_eq!(client.send(by_query(&query)).await.status, 204, "{round}");
        }
    }
    env.assert_all_workers_took_connections().await;
    wait_for_score(&env, "rec", "green", "rating", [5.0, 4_000_000.0]).await;
    assert_eq!(
        counted(&env.envoy.metrics().await, "rec", "green"),
        [5, 0, 0, 0]
    );
    // The id is the sender's within one rollout, and without one everything counts.
    for path in [
        "rollout=other&id=item-1",
        "rollout=other&id=item-1",
        "rollout=other",
    ] {
        let query = format!("{path}&color=green&score.rating=2");
        assert_eq!(client.send(by_query(&query)).await.status, 204);
    }
    wait_for_score(&env, "other", "green", "rating", [2.0, 2_000_000.0]).await;
    env.assert_no_vm_died().await;
}
