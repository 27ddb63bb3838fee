//! Feedback with a body where Envoy is not set up to hand it over: it is answered, and says what is missing.

use std::time::{Duration, Instant};

use serde_json::json;
use testbed::{EnvoyBuilder, Request, TestEnv};

use crate::common::{config, counted, feedback, item, rollout, tell};
use crate::refused::{assert_no_trace, reason};

const FLAG: &str = "      allow_on_headers_stop_iteration: true\n";
const MOST: Duration = Duration::from_secs(2);

fn body() -> Request {
    feedback(item("rec", "green", [1; 4]))
}

async fn start(options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder) -> TestEnv {
    TestEnv::start_with(|envoy| options(envoy.config(config([rollout("rec")])))).await
}

/// Bodies of announced length and in pieces, also one that is not all there.
async fn assert_answered(env: &TestEnv, missing: &str) {
    let (http1, http2) = (env.http1(), env.http2());
    for round in 0..3 {
        let begun = Instant::now();
        for response in [
            http1.send(body()).await,
            http2.send(body()).await,
            http1.upload(body()).answer().await,
            http2.upload(body()).answer().await,
        ] {
            let reason = reason(&response, 503);
            assert!(reason.contains(missing), "{reason}");
            assert!(reason.contains("in the query"), "{reason}");
        }
        assert!(
            begun.elapsed() < MOST,
            "round {round}: {:?}",
            begun.elapsed()
        );
    }
    assert_no_trace(env).await;
}

#[tokio::test]
async fn without_any_extra_the_flag_is_named() {
    let env = start(EnvoyBuilder::bare).await;
    assert_answered(&env, "allow_on_headers_stop_iteration").await;
    let line = env
        .envoy
        .wait_for_log("feedback: Envoy does not hand")
        .await;
    assert!(line.contains("allow_on_headers_stop_iteration"), "{line}");
}

#[tokio::test]
async fn without_the_flag_it_is_named() {
    let env = start(|envoy| envoy.edit_plugin(FLAG, "")).await;
    assert_answered(&env, "allow_on_headers_stop_iteration").await;
}

#[tokio::test]
async fn without_the_flag_and_the_callback_the_flag_is_named() {
    let env = start(|envoy| {
        envoy
            .edit_plugin(FLAG, "")
            .withhold("proxy_on_request_body")
            .withhold("proxy_on_request_trailers")
    })
    .await;
    assert_answered(&env, "allow_on_headers_stop_iteration").await;
}

#[tokio::test]
async fn without_the_callback_of_bodies_it_is_named() {
    let env = start(|envoy| envoy.withhold("proxy_on_request_body")).await;
    assert_answered(&env, "proxy_on_request_body").await;
}

#[tokio::test]
async fn without_the_callback_of_trailers_it_is_named_where_there_are_some() {
    let find = "          stat_prefix: ingress\n";
    let trailers = format!("{find}          http_protocol_options: {{ enable_trailers: true }}\n");
    let env = start(|envoy| {
        envoy
            .edit_bootstrap(find, &trailers)
            .withhold("proxy_on_request_trailers")
    })
    .await;
    let item = item("rec", "blue", [1, 0, 0, 0]).to_string();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\n{}: {}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n",
        crate::common::PATH,
        crate::common::TOKEN_HEADER,
        crate::common::TOKEN,
    );
    let begun = Instant::now();
    let answer = env
        .raw(format!(
            "{head}\r\n{:x}\r\n{item}\r\n0\r\nx-checksum: 5\r\n\r\n",
            item.len()
        ))
        .await;
    let answer = String::from_utf8(answer).expect("text");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("proxy_on_request_trailers"), "{answer}");
    assert!(begun.elapsed() < MOST, "{:?}", begun.elapsed());
    assert_no_trace(&env).await;
    // Without trailers the body is all there.
    tell(&env, crate::common::item("rec", "blue", [2, 0, 0, 0])).await;
}

/// Nothing tells whether the body is empty or late: none has ever come.
#[tokio::test]
async fn a_body_that_does_not_begin_is_answered_too() {
    let env = start(EnvoyBuilder::bare).await;
    let begun = Instant::now();
    let empty = Request {
        body: Vec::new().into(),
        ..body()
    };
    let response = env.http2().upload(empty).answer().await;
    let reason = reason(&response, 503);
    assert!(reason.contains("no part of it has come"), "{reason}");
    assert!(begun.elapsed() < MOST, "{:?}", begun.elapsed());
}

/// A body may take its time where bodies are handed over.
#[tokio::test]
async fn a_slow_body_is_waited_for_where_it_can_be_had() {
    let env = start(|envoy| envoy.concurrency(1)).await;
    tell(&env, item("rec", "green", [1, 0, 0, 0])).await;
    let text = item("rec", "green", [2, 0, 0, 0]).to_string();
    let mut slow = body();
    slow.body = Vec::new().into();
    let upload = env.http1().upload(slow);
    // Longer than one that never begins is waited for.
    tokio::time::sleep(Duration::from_millis(1_700)).await;
    upload.send(text);
    assert_eq!(upload.finish().await.status, 204);
    let metrics = env.envoy.metrics().await;
    assert_eq!(counted(&metrics, "rec", "green"), [3, 0, 0, 0]);
}

/// What answers later is refused: the bodies that are handed over are taken all the same.
#[tokio::test]
async fn a_body_is_taken_where_the_filter_can_not_answer_later() {
    let env = start(|envoy| envoy.withhold("proxy_set_effective_context")).await;
    tell(&env, item("rec", "green", [1, 0, 0, 0])).await;
}

/// The first that waits on each worker can't be answered; it is said in the log, and those that follow are.
#[tokio::test]
async fn where_the_filter_can_not_answer_later_it_answers_from_then_on() {
    let env = start(|envoy| {
        envoy
            .concurrency(1)
            .edit_plugin(FLAG, "")
            .withhold("proxy_set_effective_context")
    })
    .await;
    let first = env.http1().upload(body());
    let line = env.envoy.wait_for_log("feedback is not answered").await;
    assert!(line.contains("proxy_set_effective_context"), "{line}");
    drop(first);
    assert_answered(&env, "allow_on_headers_stop_iteration").await;
}

/// Routes by the color header obey no routing header.
#[tokio::test]
async fn no_upstream_sees_it_where_routes_go_by_the_color() {
    let by_color = json!({
        "name": "rec",
        "match": { "path_prefix": "/rec/" },
        "weights": { "blue": 50, "green": 50 },
        "releases": { "blue": "1" },
    });
    let mut config = config([by_color]);
    config["color_header"] = "x-bluegreen-color".into();
    let env = TestEnv::start_with(|envoy| {
        envoy
            .config(config)
            .withhold("proxy_on_request_body")
            .edit_bootstrap(
                "- { name: x-bluegreen-cluster, present_match: false }",
                "- { name: x-bluegreen-color, string_match: { exact: green }, invert_match: true, \
                 treat_missing_header_as_empty: true }",
            )
            .edit_bootstrap("cluster_header: x-bluegreen-cluster", "cluster: green")
    })
    .await;
    assert_answered(&env, "proxy_on_request_body").await;
}
