//! `require`: who may override and who may give feedback. It is where a secret may stand by mistake.

use super::{assert_accepted, assert_field, message, with};
use crate::support::config;
use serde_json::{Value, json};

fn with_override(require: &Value) -> Value {
    config(&json!({ "override": { "header": "x-bluegreen", "require": require } }))
}

#[track_caller]
fn assert_require(require: Value, expected: &str) {
    let wanted = json!({ "header": "x-bluegreen", "require": require });
    assert_field("override", wanted, &format!(".require{expected}"));
}

/// Holds the messages for override and feedback against the secret that stands in both.
#[track_caller]
fn assert_not_shown(require: &Value, secret: &str) {
    let feedback = with("feedback", json!({ "path": "/a", "require": require }));
    for config in [with_override(require).to_string(), feedback] {
        assert!(config.contains(secret), "{config}");
        let message = message(config.as_bytes());
        assert!(!message.contains(secret), "{message}");
    }
}

#[test]
fn permission_is_known() {
    let no_choice =
        ": a value that is not shown, must be \"internal\", \"nothing\" or an object with token";
    for require in [
        json!("external"),
        json!("token"),
        json!({ "internal": true }),
        json!({ "nothing": null }),
        json!({ "internal": true, "nothing": true }),
        json!({}),
        json!([]),
        json!(7),
        json!(true),
        Value::Null,
    ] {
        assert_require(require, no_choice);
    }
    assert_require(
        json!({ "token": "x" }),
        ".token: a value that is not shown, must be an object",
    );
    assert_require(
        json!({ "token": {} }),
        ".token: header is missing, must be given\n\
         rollouts[0].override.require.token: sha256 is missing, must be given",
    );
    assert_require(
        json!({ "token": { "header": "x" } }),
        ".token: sha256 is missing, must be given",
    );
    for field in ["header", "sha256"] {
        let mut token = json!({ "header": "x", "sha256": "0".repeat(64) });
        token[field] = json!(7);
        let expected = format!(".token.{field}: a value that is not shown, must be a string");
        assert_require(json!({ "token": token }), &expected);
    }
}

#[test]
fn header_of_a_token_is_one_that_may_be_taken_away() {
    let token = |header: &str| json!({ "token": { "header": header, "sha256": "0".repeat(64) } });
    for reserved in [
        "te",
        "Host",
        "content-type",
        "Cookie",
        "set-cookie",
        "x-envoy-internal",
    ] {
        assert_require(
            token(reserved),
            ".token.header: a value that is not shown, must be a header that HTTP and Envoy do not use \
             themselves",
        );
    }
    assert_accepted(&with_override(&token("authorization")));
}

#[test]
fn digest_is_64_hex_digits() {
    for bad in [
        "s3cret".to_owned(),
        String::new(),
        "0".repeat(63),
        "0".repeat(65),
        "0".repeat(66),
        "g".repeat(64),
        "+".repeat(64),
        "ä".repeat(32),
    ] {
        let require = json!({ "token": { "header": "x-token", "sha256": bad } });
        assert_require(
            require,
            ".token.sha256: a value that is not shown, must be 64 hex digits: the SHA-256 of the token",
        );
    }
    for good in ["0".repeat(64), "aF".repeat(32)] {
        let require = json!({ "token": { "header": "X-Token", "sha256": good } });
        assert_accepted(&with_override(&require));
    }
}

#[test]
fn secret_in_place_of_a_value_is_not_shown() {
    let digest = "0".repeat(64);
    for secret in [json!("s3cret"), json!(533_437)] {
        let text = secret.as_str().map_or(secret.to_string(), str::to_owned);
        for misplaced in [
            secret.clone(),
            json!([secret]),
            json!({ "token": secret }),
            json!({ "token": [secret] }),
            json!({ "internal": secret }),
            json!({ "nothing": { "header": secret } }),
            json!({ "token": secret, "internal": true }),
            json!({ "token": { "header": secret } }),
            json!({ "token": { "header": [secret], "sha256": digest } }),
            json!({ "token": { "header": "x", "sha256": secret } }),
            json!({ "token": { "header": "x", "sha256": [secret] } }),
            json!({ "token": { "header": "x", "sha256": { "s": secret } } }),
            json!({ "token": { "header": "x", "sha256": digest, "secret": secret } }),
            json!({ "tokens": { "header": "x", "sha256": secret } }),
        ] {
            assert_not_shown(&misplaced, &text);
        }
    }
}

#[test]
fn secret_in_place_of_a_headers_name_is_not_shown() {
    for header in ["x-token: s3cret", "s3cret s3cret", "s3cret\n"] {
        let token = json!({ "header": header, "sha256": "0".repeat(64) });
        assert_not_shown(&json!({ "token": token }), "s3cret");
    }
}

#[test]
fn secret_in_place_of_a_fields_name_is_not_shown() {
    let token = json!({ "header": "x", "sha256": "0".repeat(64) });
    for misplaced in [
        json!({ "s3cret": token }),
        json!({ "token": { "s3cret": "x" } }),
        json!({ "token": { "header": "x", "s3cret": "0".repeat(64) } }),
        json!({ "token": { "x-token": "x", "s3cret=": token } }),
    ] {
        assert_not_shown(&misplaced, "s3cret");
    }
}
