//! Feedback whose body is refused: with the reason, and without a trace in any count.

use serde_json::Value;
use testbed::{Response, TestEnv};

use crate::common::{TOKEN, config, counted, feedback, item, rollout, start};

/// The reason given in the JSON body.
#[track_caller]
pub fn reason(response: &Response, status: u16) -> String {
    assert_eq!(response.status, status, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("application/json"));
    let json: Value = serde_json::from_slice(&response.body).expect("a JSON body");
    let fields = json.as_object().expect("an object");
    assert_eq!(fields.len(), 1, "{json}");
    fields["error"].as_str().expect("an error").to_owned()
}

/// Nothing was counted, nothing reached an upstream, and nobody saw the token.
pub async fn assert_no_trace(env: &TestEnv) {
    let metrics = env.envoy.metrics().await;
    for color in ["blue", "green"] {
        assert_eq!(counted(&metrics, "rec", color), [0; 4]);
    }
    assert_eq!((env.blue.count(), env.green.count()), (0, 0));
    assert!(!env.envoy.log().contains(TOKEN), "the token is in the log");
    env.assert_no_vm_died().await;
}

#[tokio::test]
async fn a_bad_item_is_named_with_the_reason_and_nothing_of_the_batch_is_taken() {
    let env = start(config([rollout("rec")])).await;
    let good = item("rec", "green", [1, 1, 1, 1]);
    let whole = "must be a whole number from 0 to 1000000000";
    let fields = "must be one of rollout, color, tp, fp, fn, tn, scores, release, id";
    for (bad, expected) in [
        (
            r#"{"rollout":"other","color":"green"}"#,
            r#"[1].rollout: "other", must be the name of a rollout"#.into(),
        ),
        (
            r#"{"rollout":"REC","color":"green"}"#,
            r#"[1].rollout: "REC", must be the name of a rollout"#.into(),
        ),
        (
            r#"{"rollout":7,"color":"green"}"#,
            "[1].rollout: 7, must be a string".into(),
        ),
        (
            r#"{"color":"green","tp":1}"#,
            "[1]: rollout is missing, must be given".into(),
        ),
        (
            r#"{"rollout":"rec","color":"red"}"#,
            r#"[1].color: "red", must be blue or green"#.into(),
        ),
        (
            r#"{"rollout":"rec","color":"Green"}"#,
            r#"[1].color: "Green", must be blue or green"#.into(),
        ),
        (
            r#"{"rollout":"rec","tp":1}"#,
            "[1]: color is missing, must be given".into(),
        ),
        (
            r#"{"rollout":"rec","color":"green","tp":-1}"#,
            format!("[1].tp: -1, {whole}"),
        ),
        (
            r#"{"rollout":"rec","color":"green","fp":0.5}"#,
            format!("[1].fp: 0.5, {whole}"),
        ),
        (
            r#"{"rollout":"rec","color":"green","fn":1000000001}"#,
            format!("[1].fn: 1000000001, {whole}"),
        ),
        (
            r#"{"rollout":"rec","color":"green","tn":1e3}"#,
            format!("[1].tn: 1e3, {whole}"),
        ),
        (
            r#"{"rollout":"rec","color":"green","tp":1000000000000000000000000000000}"#,
            format!("[1].tp: 1000000000000000000000000000000, {whole}"),
        ),
        (
            r#"{"rollout":"rec","color":"green","tp":1e400}"#,
            format!("[1].tp: 1e400, {whole}"),
        ),
        (
            r#"{"rollout":"rec","color":"green","tp":"1"}"#,
            format!(r#"[1].tp: "1", {whole}"#),
        ),
        (
            r#"{"rollout":"rec","color":"green","tp":null}"#,
            format!("[1].tp: null, {whole}"),
        ),
        (
            r#"{"rollout":"rec","color":"green","tp":true}"#,
            format!("[1].tp: true, {whole}"),
        ),
        (
            r#"{"rollout":"rec","color":"green","tp":[1]}"#,
            format!("[1].tp: an array, {whole}"),
        ),
        (
            r#"{"rollout":"rec","color":"green","f1":1}"#,
            format!("[1].f1: unknown field, {fields}"),
        ),
        (
            r#"{"rollout":"rec","color":"green","TP":1}"#,
            format!("[1].TP: unknown field, {fields}"),
        ),
        (
            r#"{"rollout":"rec","color":"green","tp":1,"tp":1}"#,
            "[1].tp: duplicate field, must be given once".into(),
        ),
        ("7", "[1]: 7, must be an object".into()),
        ("null", "[1]: null, must be an object".into()),
        ("[]", "[1]: an array, must be an object".into()),
    ] {
        let response = env
            .http1()
            .send(feedback(format!("[{good},{bad},{good}]")))
            .await;
        assert_eq!(reason(&response, 400), expected);
        // Alone, it is named without an index.
        if bad.starts_with('{') {
            let response = env.http1().send(feedback(bad)).await;
            let alone = expected
                .trim_start_matches("[1]")
                .trim_start_matches(['.', ':', ' ']);
            assert_eq!(reason(&response, 400), alone);
        }
    }
    assert_no_trace(&env).await;
}

#[tokio::test]
async fn a_body_that_is_no_feedback_is_refused() {
    let env = start(config([rollout("rec")])).await;
    let green = r#"{"rollout":"rec","color":"green","tp":1}"#;
    let too_many = format!("[{}]", vec![green; 1_001].join(","));
    let deep = "[".repeat(60_000);
    let deep_objects = r#"{"tp":"#.repeat(10_000);
    let deep_and_whole = format!("{deep}{}", "]".repeat(5_000));
    let bodies: &[(&str, &[u8], &str)] = &[
        ("empty", b"", "invalid JSON"),
        ("blank", b" \n ", "invalid JSON"),
        (
            "cut off",
            br#"[{"rollout":"rec","color":"green","tp":1}"#,
            "invalid JSON",
        ),
        (
            "two values",
            br#"{"rollout":"rec","color":"green"} {}"#,
            "line 1, column ",
        ),
        (
            "a comma behind",
            br#"[{"rollout":"rec","color":"green"},]"#,
            "invalid JSON",
        ),
        (
            "invalid JSON",
            b"rollout=rec&color=green&tp=1",
            "invalid JSON",
        ),
        (
            "not UTF-8",
            b"{\"rollout\":\"rec\xff\",\"color\":\"green\",\"tp\":1}",
            "invalid JSON",
        ),
        ("a zero byte", b"\0", "invalid JSON"),
        (
            "NaN",
            br#"{"rollout":"rec","color":"green","tp":NaN}"#,
            "invalid JSON",
        ),
        (
            "a leading zero",
            br#"{"rollout":"rec","color":"green","tp":01}"#,
            "invalid JSON",
        ),
        (
            "half a surrogate",
            br#"{"rollout":"rec\ud800","color":"green","tp":1}"#,
            "invalid JSON",
        ),
        ("a string", br#""rec""#, r#""rec", must be an object"#),
        ("a number", b"1", "1, must be an object"),
        (
            "1,001 items",
            too_many.as_bytes(),
            "more than 1000 items, must be at most 1000",
        ),
        (
            "60,000 deep",
            deep.as_bytes(),
            "bytes, must be at most 4096",
        ),
        (
            "60,000 deep, with ends",
            deep_and_whole.as_bytes(),
            "bytes, must be at most 4096",
        ),
        (
            "objects 10,000 deep",
            deep_objects.as_bytes(),
            "nested deeper than 16 levels, must be at most 16",
        ),
    ];
    for &(what, body, expected) in bodies {
        let mut request = feedback("");
        request.body = body.to_vec().into();
        let reason = reason(&env.http1().send(request).await, 400);
        assert!(reason.contains(expected), "{what}: {reason}");
    }
    assert_no_trace(&env).await;
}
