//! Time to the first token, tokens and their pace.

use serde_json::json;
use testbed::get;

use crate::common::{both, env, env_with, events, paced_events, rollout, stream, wait_for};

const BLUE: [(&str, &str); 2] = [("rollout", "demo"), ("color", "blue")];

#[tokio::test]
async fn time_to_the_first_token_and_the_pace_of_tokens_show() {
    let env = env(json!({ "stream": stream() })).await;
    let tokens = [
        "data: a\\n\\n",
        "data: b\\n\\n",
        "data: c\\n\\n",
        "data: [DONE]\\n\\n",
    ];
    for client in both(&env) {
        let request = paced_events(&tokens, 100).header("x-test-first-chunk-delay-ms", "400");
        let response = client.send(request).await;
        assert_eq!(
            response.text(),
            "data: a\n\ndata: b\n\ndata: c\n\ndata: [DONE]\n\n"
        );
    }
    wait_for(&env, "bluegreen_first_chunk_ms_count", "blue", 2).await;
    wait_for(&env, "bluegreen_stream_ms_count", "blue", 2).await;
    let metrics = env.envoy.metrics().await;
    let sum = |name| metrics.histogram_sum(name, &BLUE);
    let start = sum("bluegreen_response_start_ms");
    let first = sum("bluegreen_first_chunk_ms");
    let rest = sum("bluegreen_stream_ms");
    let whole = sum("bluegreen_request_duration_ms");
    // Envoy's histograms are exact to some percent.
    assert!(first - start > 600.0, "{start} {first}");
    assert!(rest > 450.0, "{rest}");
    assert!(
        (first + rest - whole).abs() < 0.2 * whole,
        "{first} {rest} {whole}"
    );
    // Pieces that come together count as one.
    let chunks = metrics.get("bluegreen_chunks_total", &BLUE);
    assert!((4.0..=8.0).contains(&chunks), "{chunks}");
    assert_eq!(metrics.get("bluegreen_failures_total", &BLUE), 0.0);
}

#[tokio::test]
async fn tokens_of_a_stream_that_goes_on_show() {
    let env = env(json!({ "stream": stream() })).await;
    let client = env.http1();
    let request = events(&["data: a\\n\\n", "data: b\\n\\n"]).header("x-test-stall", "body");
    let goes_on = tokio::spawn(async move { client.send(request).await });
    env.envoy
        .wait_for_metric("bluegreen_chunks_total", &BLUE, |n| n >= 1.0)
        .await;
    wait_for(&env, "bluegreen_first_chunk_ms_count", "blue", 1).await;
    wait_for(&env, "bluegreen_stream_ms_count", "blue", 0).await;
    goes_on.abort();
}

#[tokio::test]
async fn rollouts_that_ask_for_no_streams_have_no_such_stats() {
    let streamed =
        json!({ "match": { "path_prefix": "/streamed" }, "stream": { "first_chunk": true } });
    let judged = json!({ "match": { "path_prefix": "/judged" }, "stream": { "sse_errors": true } });
    let rollouts = [
        rollout("demo", json!({})),
        rollout("streamed", streamed),
        rollout("judged", judged),
    ];
    let env = env_with(json!({ "rollouts": rollouts }), |envoy| envoy).await;
    for path in ["/", "/streamed", "/judged", "/streamed"] {
        env.http1().send(get(path)).await;
    }
    env.envoy
        .wait_for_metric("bluegreen_stream_ms_count", &[], |n| n == 2.0)
        .await;
    let metrics = env.envoy.metrics().await;
    for name in [
        "bluegreen_first_chunk_ms_count",
        "bluegreen_chunks_total",
        "bluegreen_stream_ms_count",
    ] {
        for rollout in ["demo", "judged"] {
            assert_eq!(
                metrics.find(name, &[("rollout", rollout)]),
                None,
                "{name} {rollout}"
            );
        }
        assert_eq!(
            metrics.get(name, &[("rollout", "streamed"), ("color", "blue")]),
            2.0
        );
    }
}

#[tokio::test]
async fn a_response_without_a_body_has_no_first_token() {
    let env = env(json!({ "stream": stream() })).await;
    for client in both(&env) {
        client.send(get("/").header("x-test-chunks", "0")).await;
        client
            .send(
                get("/")
                    .header("x-test-status", "204")
                    .header("x-test-chunks", "0"),
            )
            .await;
    }
    wait_for(&env, "bluegreen_response_start_ms_count", "blue", 4).await;
    wait_for(&env, "bluegreen_first_chunk_ms_count", "blue", 0).await;
    wait_for(&env, "bluegreen_chunks_total", "blue", 0).await;
}
