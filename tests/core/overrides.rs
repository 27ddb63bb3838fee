//! The override: who gets the color that is asked for.

use crate::support::{block, request, rollout};
use bluegreen::{Cause, Color, Decision, Percent, Reason, Rollout, RolloutStatus, Weights};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn decide_at(rollout: &Rollout, weights: Weights, headers: &[(&str, &str)]) -> Decision {
    let mut rng = fastrand::Rng::with_seed(3);
    rollout.decide(&request(&block(headers)), weights, &mut rng)
}

fn with_override(require: &Value) -> Rollout {
    let wanted =
        json!({ "header": "x-bluegreen", "cookie": "bluegreen-override", "require": require });
    rollout(&json!({ "override": wanted, "sticky": [{ "header": "x-user-id" }] }))
}

fn token_of(secret: &str) -> Value {
    let digest = Sha256::digest(secret)
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect::<String>();
    json!({ "token": { "header": "X-Token", "sha256": digest } })
}

const ALL_BLUE: Weights = Weights::giving(Color::Blue, Percent::HUNDRED);

#[track_caller]
fn assert_override(rollout: &Rollout, headers: &[(&str, &str)], expected: Option<Color>) {
    let decision = decide_at(rollout, ALL_BLUE, headers);
    let granted = (decision.reason == Reason::Override).then_some(decision.color);
    assert_eq!(granted, expected, "{headers:?}");
    assert!(!decision.override_denied, "{headers:?}");
}

#[track_caller]
fn assert_denied(rollout: &Rollout, headers: &[(&str, &str)]) {
    let decision = decide_at(rollout, ALL_BLUE, headers);
    assert!(decision.override_denied, "{headers:?}");
    assert_eq!(
        (decision.color, decision.reason),
        (Color::Blue, Reason::Random)
    );
}

#[test]
fn override_gives_the_color_that_is_asked_for() {
    let rollout = with_override(&json!("nothing"));
    assert_override(&rollout, &[("x-bluegreen", "green")], Some(Color::Green));
    assert_override(&rollout, &[("x-bluegreen", "blue")], Some(Color::Blue));
    assert_override(
        &rollout,
        &[("cookie", "a=b; bluegreen-override=green")],
        Some(Color::Green),
    );
    assert_override(
        &rollout,
        &[("x-bluegreen", "green"), ("x-user-id", "7")],
        Some(Color::Green),
    );
}

#[test]
fn override_header_comes_before_the_cookie() {
    let rollout = with_override(&json!("nothing"));
    let cookie = ("cookie", "bluegreen-override=blue");
    assert_override(
        &rollout,
        &[cookie, ("x-bluegreen", "green")],
        Some(Color::Green),
    );
    assert_override(
        &rollout,
        &[cookie, ("x-bluegreen", "purple")],
        Some(Color::Blue),
    );
}

#[test]
fn override_that_names_no_color_is_ignored() {
    let open = with_override(&json!("nothing"));
    let closed = with_override(&json!("internal"));
    for value in [
        "",
        "Green",
        "GREEN",
        " green",
        "green ",
        "greenish",
        "purple",
        "1",
        "true",
        "green,blue",
    ] {
        assert_override(&open, &[("x-bluegreen", value)], None);
        assert_override(&closed, &[("x-bluegreen", value)], None);
    }
    assert_override(&open, &[("cookie", "bluegreen-override=Green")], None);
    assert_override(&open, &[], None);
}

#[test]
fn override_is_read_from_the_places_that_are_named_alone() {
    let header = rollout(&json!({ "override": { "header": "x-bluegreen", "require": "nothing" } }));
    let cookie = rollout(&json!({ "override": { "cookie": "bg", "require": "nothing" } }));
    assert_override(&header, &[("cookie", "x-bluegreen=green; bg=green")], None);
    assert_override(&cookie, &[("bg", "green"), ("x-bluegreen", "green")], None);
    assert_override(&rollout(&json!({})), &[("x-bluegreen", "green")], None);
}

#[test]
fn override_of_insiders_needs_envoys_word() {
    let rollout = with_override(&json!("internal"));
    let wish = ("x-bluegreen", "green");
    assert_override(
        &rollout,
        &[wish, ("x-envoy-internal", "true")],
        Some(Color::Green),
    );
    for word in ["false", "True", "", "1", "true,true"] {
        assert_denied(&rollout, &[wish, ("x-envoy-internal", word)]);
    }
    assert_denied(&rollout, &[wish]);
    assert_denied(&rollout, &[("cookie", "bluegreen-override=green")]);
}

#[test]
fn override_by_token_needs_the_very_token() {
    let rollout = with_override(&token_of("s3cret"));
    let wish = ("x-bluegreen", "green");
    assert_override(&rollout, &[wish, ("x-token", "s3cret")], Some(Color::Green));
    let digest = token_of("s3cret")["token"]["sha256"]
        .as_str()
        .unwrap()
        .to_owned();
    for token in ["", "S3cret", "s3cret ", "s3cre", "s3crett", &digest] {
        assert_denied(&rollout, &[wish, ("x-token", token)]);
    }
    assert_denied(&rollout, &[wish]);
    assert_denied(
        &rollout,
        &[wish, ("x-envoy-internal", "true"), ("x-other", "s3cret")],
    );
}

#[test]
fn denied_override_is_decided_as_if_it_were_not_there() {
    let rollout = with_override(&json!("internal"));
    for user in (0..50).map(|user| user.to_string()) {
        let plain = decide_at(&rollout, rollout.weights, &[("x-user-id", &user)]);
        let denied = decide_at(
            &rollout,
            rollout.weights,
            &[("x-user-id", &user), ("x-bluegreen", "green")],
        );
        assert_eq!(
            denied,
            Decision {
                override_denied: true,
                ..plain
            }
        );
    }
}

#[test]
fn override_wins_over_weight_0_a_ramp_and_a_rollback() {
    let rollout = rollout(&json!({
        "weights": { "blue": 100, "green": 0 },
        "override": { "header": "x-bluegreen", "require": "nothing" },
        "ramp": { "start": "2026-11-23T10:00:00Z", "steps": [{ "weight": 0 }] },
    }));
    let tripped = RolloutStatus {
        tripped: Some(Cause::ErrorRate),
        promoted_at_ms: None,
        ramp: None,
    };
    for weights in [
        rollout.weights,
        rollout.weights_at(u64::MAX, RolloutStatus::default()),
        rollout.weights_at(0, tripped),
    ] {
        assert_eq!(weights.of(Color::Green), Percent::ZERO);
        let decision = decide_at(&rollout, weights, &[("x-bluegreen", "green")]);
        assert_eq!(
            (decision.color, decision.reason),
            (Color::Green, Reason::Override)
        );
    }
}

#[test]
fn override_makes_no_id() {
    let rollout = rollout(&json!({
        "sticky": [{ "new_cookie": { "name": "bg" } }],
        "override": { "header": "x-bluegreen", "require": "nothing" },
    }));
    assert_eq!(
        decide_at(&rollout, rollout.weights, &[("x-bluegreen", "green")]).new_id,
        None
    );
}

#[test]
fn secrets_are_not_shown_in_debug() {
    let rollout = with_override(&token_of("s3cret"));
    assert!(format!("{rollout:?}").contains("sha256: Sha256Digest }"));
}
