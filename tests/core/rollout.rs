//! The weights in force, and what makes two rollouts differ.

use crate::support::{percent, rollout};
use bluegreen::{Cause, Color, Rollout, RolloutStatus};
use serde_json::{Value, json};

/// 2026-11-23T10:00:00Z.
const START_MS: u64 = 1_795_428_000_000;
const MINUTE_MS: u64 = 60_000;

fn ramped(more: Value) -> Rollout {
    let mut fields = json!({
        "weights": { "blue": 99, "green": 1 },
        "ramp": { "start": "2026-11-23T10:00:00Z", "steps": [{ "weight": 5, "hold": "10m" }, { "weight": 100 }] },
    });
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    rollout(&fields)
}

fn green_at(rollout: &Rollout, now_ms: u64, status: RolloutStatus) -> String {
    rollout
        .weights_at(now_ms, status)
        .of(Color::Green)
        .to_string()
}

const UNTOUCHED: RolloutStatus = RolloutStatus {
    tripped: None,
    promoted_at_ms: None,
    slow_after_ns: None,
    ramp: None,
};
const TRIPPED: RolloutStatus = RolloutStatus {
    tripped: Some(Cause::Quality),
    promoted_at_ms: Some(0),
    slow_after_ns: None,
    ramp: None,
};

#[test]
fn weights_hold_where_there_is_no_ramp() {
    let rollout = rollout(&json!({ "weights": { "blue": 40, "green": 60 } }));
    assert_eq!(green_at(&rollout, START_MS, UNTOUCHED), "60");
}

#[test]
fn weights_hold_until_the_ramp_starts() {
    let rollout = ramped(json!({}));
    assert_eq!(green_at(&rollout, START_MS - 1, UNTOUCHED), "1");
    assert_eq!(green_at(&rollout, START_MS, UNTOUCHED), "5");
    assert_eq!(
        green_at(&rollout, START_MS + 10 * MINUTE_MS, UNTOUCHED),
        "100"
    );
}

#[test]
fn the_step_is_known_while_the_rollout_is_not_rolled_back() {
    let ramped = ramped(json!({}));
    assert_eq!(ramped.ramp_step(START_MS - 1, UNTOUCHED), Some(None));
    assert_eq!(ramped.ramp_step(START_MS, UNTOUCHED), Some(Some(0)));
    let last_ms = START_MS + 10 * MINUTE_MS;
    assert_eq!(ramped.ramp_step(last_ms, UNTOUCHED), Some(Some(1)));
    assert_eq!(ramped.ramp_step(last_ms, TRIPPED), None);
    let constant = rollout(&json!({}));
    assert_eq!(constant.ramp_step(START_MS, UNTOUCHED), None);
}

#[test]
fn ramp_gives_the_weight_of_the_color_that_is_not_stable() {
    let rollout = ramped(json!({ "stable": "green" }));
    assert_eq!(green_at(&rollout, START_MS, UNTOUCHED), "95");
    assert_eq!(
        green_at(&rollout, START_MS + 10 * MINUTE_MS, UNTOUCHED),
        "0"
    );
}

#[test]
fn rollback_gives_all_to_the_stable_color() {
    let blue_stable = ramped(json!({}));
    let green_stable = ramped(json!({ "stable": "green" }));
    for now_ms in [0, START_MS, u64::MAX] {
        assert_eq!(green_at(&blue_stable, now_ms, TRIPPED), "0");
        assert_eq!(green_at(&green_stable, now_ms, TRIPPED), "100");
    }
}

#[test]
fn quality_holds_the_ramp_until_it_is_promoted() {
    let first_step = ramped(json!({ "quality": { "min_samples": 1 } }));
    let hold_at = ramped(json!({ "quality": { "min_samples": 1, "min_f1": 80, "hold_at": 10 } }));
    let late_ms = START_MS + 60 * MINUTE_MS;
    assert_eq!(green_at(&first_step, late_ms, UNTOUCHED), "5");
    assert_eq!(green_at(&hold_at, late_ms, UNTOUCHED), "10");
    let promoted = RolloutStatus {
        tripped: None,
        promoted_at_ms: Some(late_ms),
        slow_after_ns: None,
        ramp: None,
    };
    for rollout in [first_step, hold_at] {
        assert_eq!(green_at(&rollout, late_ms, promoted), "100");
    }
}

#[test]
fn quality_without_a_ramp_leaves_the_weights_alone() {
    let rollout = rollout(&json!({ "quality": { "min_samples": 1, "min_f1": 80 } }));
    assert_eq!(
        rollout.weights_at(START_MS, UNTOUCHED).of(Color::Green),
        percent("50")
    );
}

/// A rollout with all its fields, and one of them changed.
fn changed(pointer: &str, value: Value) -> Rollout {
    with_changes(&[(pointer, value)])
}

fn with_changes(changes: &[(&str, Value)]) -> Rollout {
    let mut fields = json!({
        "name": "rec",
        "match": { "hosts": ["a.example"], "path_prefix": "/v1" },
        "stable": "blue",
        "salt": "s",
        "sticky": [{ "header": "x-user-id" }, { "new_cookie": { "name": "bg" } }],
        "override": { "header": "x-bluegreen", "require": "internal" },
        "ramp": { "start": "2026-11-23T10:00:00Z", "steps": [{ "weight": 5, "hold": "10m" }, { "weight": 100 }] },
        "guard": {
            "window": "30s", "min_requests": 100, "max_error_rate": 5, "max_error_rate_over_stable": 2,
            "slow_after": "800ms", "max_slow_rate": 20, "max_slow_rate_over_stable": 10,
        },
        "releases": { "blue": "1", "green": "2" },
        "quality": {
            "min_samples": 500, "max_f1_drop": 1, "min_f1": 80, "min_precision": 75, "min_recall": 75, "hold_at": 10,
            "confidence": 95,
        },
        "clusters": { "blue": "one", "green": "two" },
        "weights": { "blue": 50, "green": 50 },
    });
    for (pointer, value) in changes {
        *fields.pointer_mut(pointer).unwrap() = value.clone();
    }
    rollout(&fields)
}

const GATE: [(&str, &str); 13] = [
    ("/stable", r#""green""#),
    ("/ramp/start", r#""2026-11-23T10:00:01Z""#),
    ("/ramp/steps/0/weight", "6"),
    ("/ramp/steps/0/hold", r#""11m""#),
    ("/ramp/steps/1/weight", "99"),
    ("/releases/green", r#""3""#),
    ("/quality/min_samples", "501"),
    ("/quality/max_f1_drop", "2"),
    ("/quality/min_f1", "81"),
    ("/quality/min_precision", "76"),
    ("/quality/min_recall", "76"),
    ("/quality/hold_at", "11"),
    ("/quality/confidence", r#""none""#),
];

const OTHERS: [(&str, &str); 21] = [
    ("/name", r#""rec2""#),
    ("/match/hosts/0", r#""b.example""#),
    ("/match/path_prefix", r#""/v2""#),
    ("/clusters/blue", r#""three""#),
    ("/clusters/green", r#""three""#),
    ("/clusters", r#"{ "blue": "two", "green": "one" }"#),
    ("/weights", r#"{ "blue": 51, "green": 49 }"#),
    ("/salt", r#""t""#),
    ("/sticky/0", r#"{ "cookie": "x-user-id" }"#),
    ("/sticky/1/new_cookie/name", r#""bg2""#),
    (
        "/sticky/1/new_cookie",
        r#"{ "name": "bg", "secure": true }"#,
    ),
    ("/override/header", r#""x-other""#),
    ("/override/require", r#""nothing""#),
    ("/guard/window", r#""31s""#),
    ("/guard/min_requests", "101"),
    ("/guard/max_error_rate", "6"),
    ("/guard/max_error_rate_over_stable", "3"),
    ("/guard/slow_after", r#""801ms""#),
    ("/guard/max_slow_rate", "21"),
    ("/guard/max_slow_rate_over_stable", "11"),
    ("/releases/blue", r#""3""#),
];

#[test]
fn digest_differs_where_any_field_differs() {
    let same = changed("/salt", json!("s")).digest();
    let mut digests = vec![same];
    for (pointer, value) in GATE.into_iter().chain(OTHERS) {
        let digest = changed(pointer, serde_json::from_str(value).unwrap()).digest();
        assert!(!digests.contains(&digest), "{pointer}");
        digests.push(digest);
    }
    assert_eq!(changed("/weights/blue", json!(50.0)).digest(), same);
    assert_eq!(changed("/guard/window", json!("0m 30s")).digest(), same);
}

#[test]
fn gate_digest_differs_where_the_gate_has_to_be_passed_anew() {
    let same = changed("/salt", json!("s")).gate_digest();
    for (pointer, value) in GATE {
        let other = changed(pointer, serde_json::from_str(value).unwrap());
        assert_ne!(other.gate_digest(), same, "{pointer}");
    }
    for (pointer, value) in OTHERS {
        let other = changed(pointer, serde_json::from_str(value).unwrap());
        assert_eq!(other.gate_digest(), same, "{pointer}");
    }
}

#[test]
fn release_of_the_watched_color_passes_the_gate_anew_whichever_it_is() {
    for (stable, watched) in [("blue", "green"), ("green", "blue")] {
        let digest = |color: &str, label: Value| {
            let release = format!("/releases/{color}");
            with_changes(&[("/stable", json!(stable)), (&release, label)]).gate_digest()
        };
        assert_ne!(digest(watched, json!("3")), digest(watched, json!("4")));
        assert_eq!(digest(stable, json!("3")), digest(stable, json!("4")));
    }
}
