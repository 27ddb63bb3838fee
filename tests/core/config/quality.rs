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
        ".f1: unknown field, must be one of min_samples, confidence, max_f1_drop, max_precision_drop, max_recall_drop, min_f1, min_precision, min_recall, hold_at, scores",
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

#[test]
fn scores_have_a_way_to_get_better_and_limits_that_go_with_it() {
    let score = |score: Value| json!({ "min_samples": 1, "scores": { "rating": score } });
    for good in [
        json!({ "better": "higher", "min": 3.5, "max_drop": 0.05, "max_drop_percent": 10 }),
        json!({ "better": "lower", "max": 1e9, "max_rise": 0, "max_rise_percent": 150 }),
        json!({ "better": "lower", "max": 0.000_001 }),
    ] {
        assert_accepted(&config(&json!({ "quality": score(good) })));
    }
    let higher =
        "a limit where higher is better, must be one of max, max_rise and max_rise_percent";
    let lower = "a limit where lower is better, must be one of min, max_drop and max_drop_percent";
    for (bad, message) in [
        (json!({ "min": 1 }), ": better is missing, must be given".to_owned()),
        (json!({ "better": "up", "min": 1 }), ".better: \"up\", must be higher or lower".to_owned()),
        (json!({ "better": "higher", "max": 1, "min": 1 }), format!(".max: {lower}")),
        (json!({ "better": "higher", "max_rise": 1 }), format!(".max_rise: {lower}")),
        (json!({ "better": "higher", "max_rise_percent": 1 }), format!(".max_rise_percent: {lower}")),
        (json!({ "better": "lower", "min": 1 }), format!(".min: {higher}")),
        (json!({ "better": "lower", "max_drop": 1 }), format!(".max_drop: {higher}")),
        (json!({ "better": "lower", "max_drop_percent": 1 }), format!(".max_drop_percent: {higher}")),
        (json!({ "better": "higher", "min": -1 }), ".min: -1, must be a number from 0 to 1000000000".to_owned()),
        (json!({ "better": "higher", "min": 1_000_000_001 }), ".min: 1000000001, must be a number from 0 to 1000000000".to_owned()),
        (json!({ "better": "higher", "max_drop_percent": 101 }), ".max_drop_percent: 101, must be a number from 0 to 100 in steps of 0.001".to_owned()),
        (json!({ "better": "lower", "max_rise_percent": 1001 }), ".max_rise_percent: 1001, must be a number from 0 to 1000 in steps of 0.001".to_owned()),
        (json!({ "better": "higher", "mean": 1 }), ".mean: unknown field, must be one of better, min, max, max_drop, max_rise, max_drop_percent, max_rise_percent".to_owned()),
        (json!(4), ": 4, must be an object".to_owned()),
    ] {
        assert_field("quality", score(bad), &format!(".scores.rating{message}"));
    }
}

#[test]
fn up_to_eight_scores_are_named_as_rollouts_are() {
    let higher = json!({ "better": "higher", "min": 1 });
    let scores = |names: &[String]| {
        let scores = names.iter().map(|name| (name.clone(), higher.clone()));
        json!({ "min_samples": 1, "scores": scores.collect::<serde_json::Map<_, _>>() })
    };
    let named = |count: usize| {
        (0..count)
            .map(|index| format!("score-{index}_"))
            .collect::<Vec<_>>()
    };
    assert_accepted(&config(&json!({ "quality": scores(&named(8)) })));
    assert_field(
        "quality",
        scores(&named(9)),
        ".scores: 9 fields, must be at most 8",
    );
    let message = "a name that can't be a score's, must be 1 to 64 of a-z, 0-9, '_' and '-'";
    for bad in ["Rating", "a.b", ""] {
        assert_field(
            "quality",
            scores(&[bad.to_owned()]),
            &format!(".scores.{bad}: {message}"),
        );
    }
    assert_field(
        "quality",
        json!({ "min_samples": 1, "scores": [] }),
        ".scores: an array, must be an object",
    );
}

#[test]
fn quality_with_scores_has_a_limit() {
    let scores = json!({ "cost": { "better": "lower" } });
    assert_field(
        "quality",
        json!({ "min_samples": 1, "scores": scores }),
        ": no limit, must be one or more, of scores or of precision, recall and F1",
    );
    for limit in ["min_f1", "max_precision_drop", "max_recall_drop"] {
        let fields = json!({ "min_samples": 1, "scores": scores, limit: 1 });
        assert_accepted(&config(&json!({ "quality": fields })));
    }
}
