//! Feedback that is refused before its body is read to the end, and what is no feedback at all.

use serde_json::json;
use testbed::{Request, TestEnv, get, post};

use crate::common::{
    PATH, TOKEN, TOKEN_HEADER, config, counted, feedback, item, rollout, start, tell,
};
use crate::refused::{assert_no_trace, reason};

const MAX_BYTES: usize = 65_536;

async fn one_rollout() -> TestEnv {
    start(config([rollout("rec")])).await
}

#[tokio::test]
async fn another_method_than_post_is_refused() {
    let env = one_rollout().await;
    let body = item("rec", "green", [1; 4]).to_string();
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"] {
        let mut request = feedback(&body);
        request.method = method.parse().expect("a method");
        let response = env.http1().send(request).await;
        assert_eq!(
            reason(&response, 405),
            "feedback is given by POST",
            "{method}"
        );
        assert_eq!(response.header("allow"), Some("POST"), "{method}");
    }
    let mut head = get(PATH);
    head.method = "HEAD".parse().expect("a method");
    assert_eq!(env.http1().send(head).await.status, 405);
    assert_no_trace(&env).await;
}

#[tokio::test]
async fn without_the_token_feedback_is_refused_and_the_token_stays_secret() {
    let env = one_rollout().await;
    let body = item("rec", "green", [1; 4]).to_string();
    let bare = || post(PATH, body.clone());
    let nearly = &TOKEN[..TOKEN.len() - 1];
    for (what, request) in [
        ("none", bare()),
        ("empty", bare().header(TOKEN_HEADER, "")),
        ("a part", bare().header(TOKEN_HEADER, nearly)),
        (
            "another case",
            bare().header(TOKEN_HEADER, TOKEN.to_uppercase()),
        ),
        ("not UTF-8", bare().header(TOKEN_HEADER, b"\xff")),
        ("another header", bare().header("authorization", TOKEN)),
        (
            "in the query",
            post(&format!("{PATH}?{TOKEN_HEADER}={TOKEN}"), body.clone()),
        ),
        ("with a bad body", post(PATH, "{")),
        ("internal", bare().header("x-envoy-internal", "true")),
    ] {
        let response = env.http1().send(request).await;
        assert_eq!(
            reason(&response, 403),
            "this client may not give feedback",
            "{what}"
        );
        assert!(
            !format!("{response:?}").contains(TOKEN),
            "{what}: {response:?}"
        );
    }
    assert_no_trace(&env).await;

    // Beside a wrong value the right one will do, as it does where a proxy adds it.
    let twice = feedback(&body).header(TOKEN_HEADER, "wrong");
    let response = env.http1().send(twice).await;
    assert_eq!(response.status, 204);
    assert!(!format!("{response:?}").contains(TOKEN));
    tell(&env, item("rec", "green", [1; 4])).await;
    assert!(!env.envoy.log().contains(TOKEN), "the token is in the log");
}

#[tokio::test]
async fn a_body_over_64_kib_is_refused_however_it_comes() {
    let env = one_rollout().await;
    let mut body = item("rec", "green", [1; 4]).to_string();
    body.push_str(&" ".repeat(MAX_BYTES + 1 - body.len()));
    let expected = "the body is larger than 65536 bytes";
    let length = env.http1().send(feedback(&body)).await;
    assert_eq!(reason(&length, 413), expected);
    assert_eq!(
        reason(&env.http2().send(feedback(&body)).await, 413),
        expected
    );

    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: x\r\n{TOKEN_HEADER}: {TOKEN}\r\nconnection: close\r\n"
    );
    // Announced, and then not even sent.
    let announced = env
        .raw(format!("{head}content-length: 65537\r\n\r\n"))
        .await;
    // Announced by nothing, in chunks of 1,000 bytes.
    let chunks = body.as_bytes().chunks(1_000);
    let chunks = chunks.map(|it| format!("{:x}\r\n{}\r\n", it.len(), String::from_utf8_lossy(it)));
    let chunked: String = chunks.collect();
    let chunked = env
        .raw(format!(
            "{head}transfer-encoding: chunked\r\n\r\n{chunked}0\r\n\r\n"
        ))
        .await;
    for answer in [announced, chunked] {
        let answer = String::from_utf8(answer).expect("text");
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(
            answer.ends_with(&json!({ "error": expected }).to_string()),
            "{answer}"
        );
    }
    assert_no_trace(&env).await;
}

/// What only looks like feedback is a request like any other; the token stays here all the same.
#[tokio::test]
async fn a_path_that_begins_like_the_endpoint_is_no_feedback() {
    let env = one_rollout().await;
    let paths = [
        format!("{PATH}s"),
        format!("{PATH}/"),
        format!("{PATH}/more"),
        format!("{PATH};a=1"),
        "/rec/bluegreen/feedback".to_owned(),
        "/?/bluegreen/feedback".to_owned(),
    ];
    for path in &paths {
        let request = Request {
            path: path.clone(),
            ..feedback(item("rec", "green", [1; 4]))
        };
        let response = env.http1().send(request).await;
        let upstream = match response.served_by() {
            Some("blue") => &env.blue,
            Some("green") => &env.green,
            other => panic!("{path}: {other:?}"),
        };
        let received = upstream.last();
        assert_eq!(&received.path, path);
        assert_eq!(received.header(TOKEN_HEADER), None, "{path}");
    }
    let metrics = env.envoy.metrics().await;
    assert_eq!(counted(&metrics, "rec", "green"), [0; 4]);

    // But one that Envoy makes the endpoint of is.
    let crooked = Request {
        path: "/x/..//bluegreen/./feedback".to_owned(),
        ..feedback("{")
    };
    reason(&env.http1().send(crooked).await, 400);
    assert_eq!(env.blue.count() + env.green.count(), paths.len() as u64);
}
