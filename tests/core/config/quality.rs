//! `releases`, `quality` and `feedback`.

use super::{assert_accepted, assert_field, assert_message};
use crate::support::{config, percent, rollout};
use serde_json::{Value, json};

#[track_caller]
fn assert_feedback(feedback: Value, expected: &str) {
    let mut config = config(&json!({}));
    config["feedback"] = feedback;
    assert_message(config.to_string(), &format!("feedback{expected}"));
}

#[test]
fn labels_can_stand_in_a_log_line() {
    let long = "l".repeat(129);
    for bad in ["", "a\nb", "a\tb", "\u{85}", &long] {
        let message =
            format!(".green: {bad:?}, must be 1 to 128 characters without control characters");
        assert_field("releases", json!({ "green": bad }), &message);
    }
    assert_field(
        "releases",
        json!({ "blue": 1 }),
        ".blue: 1, must be a string",
    );
    assert_field(
        "releases",
        json!({ "red": "1" }),
        ".red: unknown field, must be one of blue, green",
    );
    assert_field("releases", json!("1"), ": \"1\", must be an object");
    for good in [
        json!({}),
        json!({ "blue": "a b" }),
        json!({ "blue": "ä".repeat(128), "green": "1" }),
    ] {
        assert_accepted(&config(&json!({ "releases": good })));
    }
}

#[test]
fn quality_has_a_minimum() {
    assert_field(
        "quality",
        json!({ "min_f1": 80 }),
        ": min_samples is missing, must be given",
    );
    assert_field(
        "quality",
        json!({ "min_samples": 1, "f1": 1 }),
        ".f1: unknown field, must be one of min_samples, confidence, max_f1_drop, min_f1, min_precision, min_recall, hold_at",
    );
}

#[test]
fn quality_without_a_limit_is_accepted() {
    for fields in [
        json!({ "min_samples": 1 }),
        json!({ "min_samples": 1, "hold_at": 10 }),
    ] {
        assert_accepted(&config(&json!({ "quality": fields })));
    }
}

#[test]
fn quality_figures_are_in_their_ranges() {
    for bad in [json!(0), json!(-1), json!(0.5), json!(1_000_000_001)] {
        let message = format!(".min_samples: {bad}, must be a whole number from 1 to 1000000000");
        assert_field(
            "quality",
            json!({ "min_samples": bad, "min_f1": 1 }),
            &message,
        );
    }
    for field in [
        "max_f1_drop",
        "min_f1",
        "min_precision",
        "min_recall",
        "hold_at",
    ] {
        let message = format!(".{field}: 100.5, must be a number from 0 to 100 in steps of 0.001");
        assert_field(
            "quality",
            json!({ "min_samples": 1, field: 100.5 }),
            &message,
        );
    }
    for field in ["max_f1_drop", "min_f1", "min_precision", "min_recall"] {
        assert_accepted(&config(
            &json!({ "quality": { "min_samples": 1, field: 0 } }),
        ));
    }
}

#[test]
fn confidence_is_a_percentage_or_none() {
    let must_be = "must be a number from 50 to 99.99 in steps of 0.001, or \"none\"";
    for (bad, shown) in [
        (json!(49.999), "49.999"),
        (json!(99.991), "99.991"),
        (json!(95.0001), "95.0001"),
        (json!(100), "100"),
        (json!(-95), "-95"),
        (json!("95"), "\"95\""),
        (json!("None"), "\"None\""),
        (json!(true), "true"),
        (json!(null), "null"),
        (json!([95]), "an array"),
    ] {
        assert_field(
            "quality",
            json!({ "min_samples": 1, "confidence": bad }),
            &format!(".confidence: {shown}, {must_be}"),
        );
    }
    let confidence = |fields: Value| {
        rollout(&json!({ "quality": fields }))
            .quality
            .unwrap()
            .confidence
    };
    for (good, text) in [
        (json!(50), "50"),
        (json!(99.99), "99.99"),
        (json!(97.125), "97.125"),
    ] {
        let level = confidence(json!({ "min_samples": 1, "confidence": good }));
        assert_eq!(level.unwrap().percent(), percent(text));
    }
    let none = confidence(json!({ "min_samples": 1, "confidence": "none" }));
    assert_eq!(none, None);
    let absent = confidence(json!({ "min_samples": 1 }));
    assert_eq!(absent.unwrap().percent(), percent("95"));
}

#[test]
fn feedback_has_a_path_and_a_permission() {
    assert_feedback(
        json!({ "require": "nothing" }),
        ": path is missing, must be given",
    );
    assert_feedback(
        json!({ "path": "/a" }),
        ": require is missing, must be given",
    );
    assert_feedback(json!("/a"), ": \"/a\", must be an object");
    assert_feedback(
        json!({ "path": "/a?b", "require": "nothing" }),
        ".path: \"/a?b\", must be a path of visible ASCII characters without '?' and '#' that begins with '/'",
    );
    assert_feedback(
        json!({ "path": "/a", "require": "anyone" }),
        ".require: a value that is not shown, must be \"internal\", \"nothing\" or an object with token",
    );
    assert_feedback(
        json!({ "path": "/a", "require": { "token": { "header": "x", "sha256": "s3cret" } } }),
        ".require.token.sha256: a value that is not shown, must be 64 hex digits: the SHA-256 of the token",
    );
    assert_feedback(
        json!({ "path": "/a", "require": "nothing", "max": 1 }),
        ".max: unknown field, must be one of path, require",
    );
}
