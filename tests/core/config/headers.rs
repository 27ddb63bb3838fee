//! `route_header` and `color_header`: what the filter writes.

use super::{assert_accepted, assert_message, with};
use crate::support::config;
use serde_json::{Value, json};

#[test]
fn header_names_are_checked() {
    let rule =
        "must be a header name of 1 to 255 letters, digits and !#$%&'*+-.^_`|~ (no pseudo-header)";
    for field in ["route_header", "color_header"] {
        for bad in ["", ":path", "x y", "x:"] {
            assert_message(
                with(field, json!(bad)),
                &format!("{field}: {bad:?}, {rule}"),
            );
        }
        for reserved in [
            "Host",
            "te",
            "Content-Type",
            "cookie",
            "set-cookie",
            "x-envoy-internal",
        ] {
            let message = format!(
                "{field}: {reserved:?}, must be a header that HTTP and Envoy do not use themselves"
            );
            assert_message(with(field, json!(reserved)), &message);
        }
        assert_message(
            with(field, json!(["x"])),
            &format!("{field}: an array, must be a string"),
        );
    }
}

#[test]
fn color_header_is_another_than_the_route_header() {
    let message = "color_header: the same as route_header, must be another header";
    assert_message(with("color_header", json!("X-Bluegreen-Cluster")), message);
    let mut both = config(&json!({}));
    both["route_header"] = json!("x-a");
    both["color_header"] = json!("X-A");
    assert_message(both.to_string(), message);
}

/// Feedback and a rollout, with tokens in these headers.
fn with_tokens(feedback: &str, tester: &str) -> Value {
    let token = |header| json!({ "token": { "header": header, "sha256": "0".repeat(64) } });
    let mut config = config(&json!({ "override": { "cookie": "a", "require": token(tester) } }));
    config["feedback"] = json!({ "path": "/feedback", "require": token(feedback) });
    config
}

#[test]
fn route_header_is_another_than_that_of_a_token() {
    let message = "route_header: also the header of a token, must be another header";
    let default = "X-Bluegreen-Cluster";
    for (feedback, tester) in [(default, "x-b"), ("x-a", default), (default, default)] {
        assert_message(with_tokens(feedback, tester).to_string(), message);
    }
    for (feedback, tester) in [("X-Route", "x-b"), ("x-a", "X-Route")] {
        let mut config = with_tokens(feedback, tester);
        assert_accepted(&config);
        config["route_header"] = json!("x-route");
        assert_message(config.to_string(), message);
    }
    let mut elsewhere = with_tokens(default, default);
    elsewhere["route_header"] = json!("x-route");
    assert_accepted(&elsewhere);
}
