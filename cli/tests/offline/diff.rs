//! `diff`: who moves, and what else changes.

use std::fs;

use bluegreen::{Color, Percent, Weights};
use bluegreen_cli::moved::Moved;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Place, Run, demo, ecds};

fn diff(old: &str, new: &str, args: &[&str]) -> Run {
    let place = Place::new(old);
    fs::write(place.dir().join("new.yaml"), new).expect("a file");
    place.run(&[&["diff", "bluegreen.yaml", "new.yaml"], args].concat())
}

fn told(old: &str, new: &str) -> Value {
    let run = diff(
        old,
        new,
        &["--output", "json", "--at", "2026-11-24T12:00:00Z"],
    );
    assert_eq!(run.code, 0, "{run:?}");
    run.json()
}

fn green(weights: u32) -> Weights {
    Weights::giving(Color::Green, Percent::from_millipercent(weights))
}

proptest! {
    /// Green serves a prefix of the buckets, so the count is the difference of the weights.
    #[test]
    fn the_count_is_the_difference(before in 0..=100_000_u32, after in 0..=100_000_u32) {
        let moved = Moved::same_buckets(green(before), green(after));
        prop_assert_eq!(moved.to_green, u64::from(after.saturating_sub(before)));
        prop_assert_eq!(moved.to_blue, u64::from(before.saturating_sub(after)));
    }
}

#[test]
fn each_direction_is_told() {
    let (old, new) = (
        demo(&[]),
        demo(&[]).replace("90, \"green\": 10 ", "74.875, \"green\": 25.125 "),
    );
    let up = diff(&old, &ecds(&new), &[]);
    assert_eq!(
        up.out,
        "demo: 15.125 % of users move from blue to green; blue 90 %, green 10 % -> blue 74.875 %, green 25.125 %\n  \
         weights.blue: 90 -> 74.875\n  weights.green: 10 -> 25.125\n"
    );
    let down = told(&new, &old);
    let rollout = &down["rollouts"][0];
    assert_eq!(rollout["blue_to_green_percent"], 0.0);
    assert_eq!(rollout["green_to_blue_percent"], 15.125);
    assert_eq!(rollout["drawn_anew"], false);
}

#[test]
fn with_another_salt_all_are_drawn_anew() {
    let rollout = &told(&demo(&[]), &demo(&["\"salt\": \"other\""]))["rollouts"][0];
    // A user on blue with 90 % is on green with 10 % next, whatever the bucket was.
    assert_eq!(rollout["blue_to_green_percent"], 9.0);
    assert_eq!(rollout["green_to_blue_percent"], 9.0);
    assert_eq!(rollout["drawn_anew"], true);
    assert_eq!(
        rollout["changes"],
        json!([{ "path": "salt", "old": null, "new": "other" }])
    );
    let same = told(&demo(&[]), &demo(&["\"salt\": \"demo\""]));
    assert_eq!(same["rollouts"][0]["ends_rollback"], false);
    assert_eq!(same["rollouts"][0]["drawn_anew"], false);
}

#[test]
fn what_else_changes_is_told_by_path() {
    let guard = |rate| {
        demo(&[&format!(
            "\"guard\": {{ \"window\": \"30s\", \"min_requests\": 100, \"max_error_rate\": {rate} }}"
        )])
    };
    let run = diff(&guard("5"), &guard("3"), &[]);
    assert_eq!(
        run.out,
        "demo: no user moves; blue 90 %, green 10 %\n  guard.max_error_rate: 5 -> 3\n"
    );
    let same = diff(&guard("5"), &guard("5.000"), &["--exit-code"]);
    assert_eq!((same.code, same.out.as_str()), (0, "nothing changes\n"));
    assert_eq!(diff(&guard("5"), &guard("3"), &["--exit-code"]).code, 1);
    assert_eq!(diff(&guard("5"), &guard("3"), &[]).code, 0);
}

#[test]
fn rollouts_come_and_go() {
    let other = demo(&[]).replace("\"demo\"", "\"other\"");
    assert_eq!(
        diff(&demo(&[]), &other, &[]).out,
        "other: new\ndemo: gone; its requests belong to another rollout or to none\n"
    );
    let version = demo(&[]).replace(
        "{\n  \"rollouts\"",
        "{\n  \"version\": \"2\",\n  \"rollouts\"",
    );
    assert_eq!(
        diff(&demo(&[]), &version, &[]).out,
        "version: absent -> \"2\"\n"
    );
}

#[test]
fn a_ramp_counts_at_the_time_that_is_asked_for() {
    let ramp = demo(&[
        r#""ramp": { "start": "2026-11-24T11:00:00Z", "steps": [ { "weight": 50, "hold": "10m" }, { "weight": 100 } ] }"#,
    ]);
    for (at, moved) in [
        ("2026-11-24T10:00:00Z", 0.0),
        ("2026-11-24T11:00:00Z", 40.0),
        ("2026-11-24T12:00:00Z", 90.0),
    ] {
        let run = diff(&demo(&[]), &ramp, &["--output", "json", "--at", at]);
        assert_eq!(
            run.json()["rollouts"][0]["blue_to_green_percent"],
            moved,
            "{at}"
        );
    }
}

#[test]
fn secrets_are_never_shown() {
    let with = |sha256: &str| {
        demo(&[&format!(
            "\"override\": {{ \"header\": \"x-b\", \"require\": {{ \"token\": {{ \"header\": \"x-t\", \"sha256\": \"{sha256}\" }} }} }}"
        )])
    };
    let (old, new) = ("a".repeat(64), "b".repeat(64));
    for output in ["text", "json"] {
        for (one, other) in [(with(&old), with(&new)), (demo(&[]), with(&new))] {
            let run = diff(&one, &other, &["--output", output]);
            assert!(
                !run.out.contains(&new) && !run.out.contains(&old),
                "{run:?}"
            );
        }
    }
    assert!(
        diff(&with(&old), &with(&new), &[])
            .out
            .contains("override.require.token.sha256: a value that is not shown")
    );
}

#[test]
fn both_have_to_be_valid() {
    let run = diff(&demo(&[]), &demo(&[]).replace("90", "91"), &[]);
    assert_eq!(run.code, 1);
    assert_eq!(
        run.err,
        "bluegreen: new.yaml:6:7: rollouts[0].weights: blue 91 + green 10 = 101, must be 100\n"
    );
    let run = Place::new("").run(&["diff", "-", "-"]);
    assert_eq!(run.code, 2);
}
