//! Which requests may give feedback, before their body is read.

use crate::feedback::{config, open};
use crate::support::block;
use bluegreen::{FeedbackError, Headers, Policy};
use serde_json::json;

/// SHA-256 of `s3cret`.
const DIGEST: &str = "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0";

fn with_token() -> Policy {
    config(&json!({ "token": { "header": "x-token", "sha256": DIGEST } }))
}

#[track_caller]
fn assert_admission(policy: &Policy, headers: &[(&str, &str)], status: Option<u32>) {
    let feedback = policy.feedback.as_ref().unwrap();
    let admitted = feedback.admit(&Headers::new(&block(headers)));
    assert_eq!(
        admitted.err().map(|refusal| refusal.status()),
        status,
        "{headers:?}"
    );
}

#[test]
fn path_is_that_of_the_endpoint_with_or_without_query() {
    let policy = open();
    let feedback = policy.feedback.as_ref().unwrap();
    for path in [
        "/bluegreen/feedback",
        "/bluegreen/feedback?",
        "/bluegreen/feedback?a=b",
    ] {
        assert!(feedback.is_at(path.as_bytes()), "{path}");
    }
    for path in [
        "",
        "/",
        "/bluegreen/feedbac",
        "/bluegreen/feedback/",
        "/bluegreen/feedbacks",
        "/x?/bluegreen/feedback",
        "/BLUEGREEN/feedback",
    ] {
        assert!(!feedback.is_at(path.as_bytes()), "{path}");
    }
}

#[test]
fn post_alone_is_admitted() {
    assert_admission(&open(), &[(":method", "POST")], None);
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "post", ""] {
        assert_admission(&open(), &[(":method", method)], Some(405));
    }
    assert_admission(&open(), &[], Some(405));
}

#[test]
fn token_must_be_brought() {
    let post = (":method", "POST");
    assert_admission(&with_token(), &[post, ("x-token", "s3cret")], None);
    assert_admission(&with_token(), &[post, ("x-token", "wrong")], Some(403));
    assert_admission(&with_token(), &[post], Some(403));
    assert_admission(&with_token(), &[(":method", "GET")], Some(405));
    let internal = config(&json!("internal"));
    assert_admission(&internal, &[post, ("x-envoy-internal", "true")], None);
    assert_admission(&internal, &[post], Some(403));
}

#[test]
fn body_that_says_it_is_too_large_is_refused_at_once() {
    let post = (":method", "POST");
    for (length, status) in [
        ("0", None),
        ("65536", None),
        ("65537", Some(413)),
        ("18446744073709551615", Some(413)),
        ("4294967296", Some(413)),
        ("18446744073709551616", Some(413)),
        ("99999999999999999999999999999999999999999", Some(413)),
        ("00000000000000000000000000000000000065536", None),
        ("x", None),
        ("", None),
        ("-1", None),
    ] {
        assert_admission(&open(), &[post, ("content-length", length)], status);
    }
    let too_large = [post, ("content-length", "65537")];
    assert_admission(&with_token(), &too_large, Some(403));
}

#[test]
fn refusals_of_the_request_say_why() {
    for (refusal, status, body) in [
        (
            FeedbackError::Forbidden,
            403,
            r#"{"error":"this client may not give feedback"}"#,
        ),
        (
            FeedbackError::Method,
            405,
            r#"{"error":"feedback is given by POST"}"#,
        ),
        (
            FeedbackError::TooLarge,
            413,
            r#"{"error":"the body is larger than 65536 bytes"}"#,
        ),
    ] {
        assert_eq!(
            (
                refusal.status(),
                str::from_utf8(&refusal.to_json()).unwrap()
            ),
            (status, body)
        );
    }
}
