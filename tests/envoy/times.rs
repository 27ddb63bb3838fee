//! How long requests take, and those that are not at their end.

use serde_json::json;
use testbed::{TestEnv, get};

use crate::common::config;
use crate::metrics::ended;

#[tokio::test]
async fn histograms_hold_the_times_in_milliseconds() {
    let env = TestEnv::start(config(100_000, json!([]))).await;
    let client = env.http1();
    for _ in 0..5 {
        // 150 ms to the headers, 100 ms more to the end.
        let slow = get("/")
            .header("x-test-delay-ms", "150")
            .header("x-test-chunks", "3")
            .header("x-test-chunk-delay-ms", "50");
        assert_eq!(client.send(slow).await.status, 200);
    }
    ended(&env, 5.0).await;
    let green = [("rollout", "demo"), ("color", "green")];
    let metrics = env.envoy.metrics().await;
    let mean = |name| metrics.histogram_sum(name, &green) / metrics.histogram_count(name, &green);
    let (start, whole) = (
        mean("bluegreen_response_start_ms"),
        mean("bluegreen_request_duration_ms"),
    );
    // Envoy's histograms are within 5 %; a busy machine may be slow.
    assert!((140.0..600.0).contains(&start), "{start}");
    assert!((235.0..1_200.0).contains(&whole), "{whole}");
    assert!(whole - start > 80.0, "{start} to {whole}");
    let below = |le| {
        metrics.get(
            "bluegreen_response_start_ms_bucket",
            &[green[0], green[1], ("le", le)],
        )
    };
    assert_eq!(
        (below("100"), below("5000"), below("+Inf")),
        (0.0, 5.0, 5.0)
    );
}

#[tokio::test]
async fn in_flight_counts_what_hangs_and_outlives_a_push() {
    let env = TestEnv::start(config(100_000, json!([]))).await;
    let (http1, http2) = (env.http1(), env.http2());
    let green = [("rollout", "demo"), ("color", "green")];
    let hangs = || get("/").header("x-test-hang", "1");
    let seen = async {
        env.envoy
            .wait_for_metric("bluegreen_in_flight", &green, |n| n == 3.0)
            .await;
        env.push(config(0, json!([]))).await;
        let metrics = env.envoy.metrics().await;
        assert_eq!(metrics.get("bluegreen_in_flight", &green), 3.0);
        assert_eq!(
            metrics.get("bluegreen_in_flight", &[("color", "blue")]),
            0.0
        );
        assert_eq!(metrics.get("bluegreen_requests_total", &green), 3.0);
        assert_eq!(metrics.get("bluegreen_responses_total", &green), 0.0);
    };
    let hung = async {
        let never = std::future::pending;
        tokio::join!(
            http1.leave_before_response(hangs(), never()),
            http1.leave_before_response(hangs(), never()),
            http2.leave_before_response(hangs(), never()),
        )
    };
    tokio::select! {
        () = seen => {}
        _ = hung => unreachable!("a hanging request has no answer"),
    }
    ended(&env, 3.0).await;
    let metrics = env.envoy.metrics().await;
    let none = [green[0], green[1], ("code_class", "none")];
    assert_eq!(metrics.get("bluegreen_responses_total", &none), 3.0);
    assert_eq!(metrics.get("bluegreen_failures_total", &[]), 0.0);
}
