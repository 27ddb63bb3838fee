//! Feedback whose counts are in the query: no body, so no capability and no flag.

use testbed::{EnvoyBuilder, Request, TestEnv, post};

use crate::common::{
    PATH, TOKEN, TOKEN_HEADER, config, counted, feedback, item, rollout, wait_for_figures,
};
use crate::refused::{assert_no_trace, reason};

/// As Istio runs the filter.
async fn bare() -> TestEnv {
    TestEnv::start_with(|envoy| envoy.bare().config(config([rollout("rec")]))).await
}

fn by_query(query: &str) -> Request {
    post(&format!("{PATH}?{query}"), "").header(TOKEN_HEADER, TOKEN)
}

#[tokio::test]
async fn counts_are_taken_from_the_query_without_any_extra() {
    let env = bare().await;
    for (client, queries) in [
        (
            env.http1(),
            [
                "rollout=rec&color=green&tp=3&fn=1",
                "tn=10&tp=0&color=green&rollout=rec",
            ],
        ),
        (
            env.http2(),
            [
                "rollout=r%65c&col%6fr=gree%6E&fp=%32&",
                "&&rollout=rec&color=blue&tp=1000000000&fp=007",
            ],
        ),
    ] {
        for query in queries {
            let response = client.send(by_query(query)).await;
            assert_eq!(
                (response.status, response.text()),
                (204, String::new()),
                "{query}"
            );
        }
    }
    let metrics = env.envoy.metrics().await;
    assert_eq!(counted(&metrics, "rec", "green"), [3, 2, 1, 10]);
    assert_eq!(counted(&metrics, "rec", "blue"), [1_000_000_000, 7, 0, 0]);
    wait_for_figures(&env, "rec", "green", [3, 2, 1, 10]).await;
    assert_eq!((env.blue.count(), env.green.count()), (0, 0));
    env.assert_no_vm_died().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_query_is_named_and_nothing_is_counted() {
    let env = bare().await;
    let whole = "must be a whole number from 0 to 1000000000";
    let good = "rollout=rec&color=green";
    for (query, expected) in [
        (
            "color=green&tp=1",
            "rollout is missing, must be given".into(),
        ),
        ("rollout=rec&tp=1", "color is missing, must be given".into()),
        ("&", "rollout is missing, must be given".into()),
        (
            "rollout=other&color=green",
            r#"rollout: "other", must be the name of a rollout"#.into(),
        ),
        (
            "rollout&color=green",
            r#"rollout: "", must be the name of a rollout"#.into(),
        ),
        (
            "rollout=rec&color=Green",
            r#"color: "Green", must be blue or green"#.into(),
        ),
        (
            "rollout=rec&color=gr%C3%BCn",
            r#"color: "grün", must be blue or green"#.into(),
        ),
        (&format!("{good}&tp=-1"), format!(r#"tp: "-1", {whole}"#)),
        (&format!("{good}&tp=%2B1"), format!(r#"tp: "+1", {whole}"#)),
        (&format!("{good}&tp=+1"), format!(r#"tp: " 1", {whole}"#)),
        (&format!("{good}&fp=0.5"), format!(r#"fp: "0.5", {whole}"#)),
        (&format!("{good}&fn="), format!(r#"fn: "", {whole}"#)),
        (&format!("{good}&tn"), format!(r#"tn: "", {whole}"#)),
        (&format!("{good}&tn=%zz"), format!(r#"tn: "%zz", {whole}"#)),
        (
            &format!("{good}&tn=1000000001"),
            format!(r#"tn: "1000000001", {whole}"#),
        ),
        (
            &format!("{good}&tn=100000000000000000000000000000"),
            format!(r#"tn: "100000000000000000000000000000", {whole}"#),
        ),
        (
            &format!("{good}&tp=1&tp=1"),
            "tp: duplicate parameter, must be given once".into(),
        ),
        (
            &format!("{good}&rollout=rec"),
            "rollout: duplicate parameter, must be given once".into(),
        ),
        (
            &format!("{good}&%63olor=green"),
            "color: duplicate parameter, must be given once".into(),
        ),
        (
            &format!("{good}&TP=1"),
            "TP: unknown parameter, must be one of rollout, color, tp, fp, fn, tn, release, id and score.NAME".into(),
        ),
        (
            &format!("{good}&=1"),
            ": unknown parameter, must be one of rollout, color, tp, fp, fn, tn, release, id and score.NAME".into(),
        ),
        (
            &format!("{good}&t%0Ap=1"),
            r"t\np: unknown parameter, must be one of rollout, color, tp, fp, fn, tn, release, id and score.NAME".into(),
        ),
    ] {
        let response = env.http1().send(by_query(query)).await;
        assert_eq!(reason(&response, 400), expected, "{query}");
    }
    let neither = post(PATH, "").header(TOKEN_HEADER, TOKEN);
    let reason_of_neither = reason(&env.http1().send(neither).await, 400);
    assert!(
        reason_of_neither.starts_with("invalid JSON"),
        "{reason_of_neither}"
    );
    let stranger = post(&format!("{PATH}?{good}&tp=1"), "");
    reason(&env.http1().send(stranger).await, 403);
    let mut get = by_query(&format!("{good}&tp=1"));
    get.method = "GET".parse().expect("a method");
    reason(&env.http1().send(get).await, 405);
    assert_no_trace(&env).await;
}

const QUERY: &str = "rollout=rec&color=green&tp=1";
const BOTH: &str = "both a query and a body, must be one of them";

/// Where the request says that it has no body, or where it ends with an empty piece of one.
async fn assert_query_alone_is_taken(env: &TestEnv) {
    let head = format!(
        "POST {PATH}?{QUERY} HTTP/1.1\r\nhost: x\r\n{TOKEN_HEADER}: {TOKEN}\r\nconnection: close\r\n"
    );
    for rest in [
        "\r\n",
        "content-length: 0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let answer = env.raw(format!("{head}{rest}")).await;
        let answer = String::from_utf8(answer).expect("text");
        assert!(answer.starts_with("HTTP/1.1 204 "), "{rest:?}: {answer}");
    }
    // In HTTP/2 the headers do not say so.
    assert_eq!(
        env.http2().upload(by_query(QUERY)).finish().await.status,
        204
    );
    let metrics = env.envoy.metrics().await;
    assert_eq!(counted(&metrics, "rec", "green"), [4, 0, 0, 0]);
    env.assert_no_vm_died().await;
}

/// A query beside a body, of announced length and in pieces.
async fn assert_both_are_refused(env: &TestEnv) {
    let both = Request {
        path: format!("{PATH}?{QUERY}"),
        ..feedback(item("rec", "green", [1; 4]))
    };
    for response in [
        env.http1().send(both.clone()).await,
        env.http2().send(both.clone()).await,
        env.http1().upload(both.clone()).finish().await,
        env.http2().upload(both).finish().await,
    ] {
        assert_eq!(reason(&response, 400), BOTH);
    }
}

#[tokio::test]
async fn a_query_is_taken_alone_where_bodies_can_not_be_had() {
    let env = bare().await;
    assert_both_are_refused(&env).await;
    assert_query_alone_is_taken(&env).await;
}

#[tokio::test]
async fn a_query_is_taken_alone_where_bodies_can_be_had() {
    let env = TestEnv::start(config([rollout("rec")])).await;
    assert_both_are_refused(&env).await;
    assert_query_alone_is_taken(&env).await;
}

/// The filter learns by a refused call that it can't answer later.
#[tokio::test]
async fn a_query_is_taken_where_the_capabilities_of_feedback_are_withheld() {
    let withheld = |envoy: EnvoyBuilder| {
        envoy
            .bare()
            .withhold("proxy_on_request_body")
            .withhold("proxy_on_request_trailers")
            .withhold("proxy_set_effective_context")
            .config(config([rollout("rec")]))
    };
    let env = TestEnv::start_with(withheld).await;
    assert_query_alone_is_taken(&env).await;
}
