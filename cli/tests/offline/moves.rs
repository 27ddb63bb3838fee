//! `shift`, `rollback`, `promote --full`, `swap`, `undo`.

use serde_json::json;

use crate::support::{Place, demo, ecds, run_in};

const RAMP: &str = r#""ramp": { "start": "2026-11-24T11:00:00Z", "steps": [ { "weight": 25, "hold": "10m" }, { "weight": 50, "hold": "10m" }, { "weight": 100 } ] }"#;
const DURING: [&str; 2] = ["--at", "2026-11-24T11:15:00Z"];

#[test]
fn a_shift_is_told_and_made() {
    let place = Place::ecds(&demo(&[]));
    let before = place.text();
    let run = place.run(&["shift", "bluegreen.yaml", "demo", "--green", "25"]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (
            0,
            "demo: blue 75 %, green 25 %; 15 % of users move from blue to green\n"
        )
    );
    assert_eq!(
        place.text(),
        before.replace("\"blue\": 90, \"green\": 10", "\"blue\": 75, \"green\": 25")
    );
    let run = place.run(&["shift", "bluegreen.yaml", "--blue", "100"]);
    assert_eq!(
        run.out,
        "demo: blue 100 %, green 0 %; 25 % of users move from green to blue\n"
    );
    let run = place.run(&["shift", "bluegreen.yaml", "--green", "0.000"]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (0, "demo: nothing to change, blue 100 %, green 0 %\n")
    );
}

#[test]
fn a_dry_run_prints_a_diff_and_changes_nothing() {
    let place = Place::new(&demo(&[]));
    let before = place.text();
    let run = place.run(&["shift", "bluegreen.yaml", "--green", "25", "--dry-run"]);
    assert_eq!(
        run.out,
        "--- bluegreen.yaml\n+++ bluegreen.yaml\n@@ -3,7 +3,7 @@\n     {\n       \"name\": \"demo\",\n       \"clusters\": { \
         \"blue\": \"blue\", \"green\": \"green\" },\n-      \"weights\": { \"blue\": 90, \"green\": 10 },\n+      \
         \"weights\": { \"blue\": 75, \"green\": 25 },\n       \"sticky\": [ { \"header\": \"x-user-id\" } ]\n     }\n   ]\n"
    );
    assert_eq!(place.text(), before);
    assert_eq!(
        std::fs::read_dir(place.dir())
            .expect("the directory")
            .count(),
        1
    );
}

#[test]
fn json_tells_what_was_done() {
    let place = Place::new(&demo(&[]));
    let run = place.run(&[
        "shift",
        "bluegreen.yaml",
        "--green",
        "25",
        "--output",
        "json",
    ]);
    let report = run.json();
    assert_eq!(
        (&report["changed"], &report["written"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(report["after"], json!({ "blue": 75, "green": 25 }));
    assert_eq!(report["blue_to_green_percent"], 15.0);
}

#[test]
fn of_standard_input_the_new_version_is_printed() {
    let text = ecds(&demo(&[]));
    let run = run_in(std::path::Path::new("."), &["rollback", "-"], &text);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        run.out,
        text.replace("90, \"green\": 10", "100, \"green\": 0")
    );
}

#[test]
fn a_shift_does_not_pretend_to_overrule_a_ramp() {
    let place = Place::new(&demo(&[RAMP]));
    let before = place.text();
    let run = place.run(&["shift", "bluegreen.yaml", "demo", "--green", "30"]);
    assert_eq!(run.code, 1);
    assert!(
        run.err
            .starts_with("bluegreen: demo: its ramp decides the weight: --end-ramp takes"),
        "{run:?}"
    );
    assert_eq!(place.text(), before);
    let run = place.run(&[
        "shift",
        "bluegreen.yaml",
        "demo",
        "--green",
        "30",
        "--end-ramp",
        DURING[0],
        DURING[1],
    ]);
    assert_eq!(
        run.out,
        "demo: blue 70 %, green 30 %; 20 % of users move from green to blue; the ramp is taken out\n"
    );
    assert_eq!(
        place.text(),
        demo(&[]).replace("90, \"green\": 10", "70, \"green\": 30")
    );
}

#[test]
fn a_rollback_outlives_any_envoy() {
    for (stable, weights) in [
        ("blue", "100, \"green\": 0"),
        ("green", "0, \"green\": 100"),
    ] {
        let stable = format!("\"stable\": \"{stable}\"");
        let place = Place::new(&demo(&[RAMP, &stable]));
        let run = place.run(&["rollback", "bluegreen.yaml", "demo"]);
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(
            place.text(),
            demo(&[&stable]).replace("90, \"green\": 10", weights)
        );
        let again = place.run(&["rollback", "bluegreen.yaml", "demo"]);
        assert!(
            again.out.starts_with("demo: nothing to change"),
            "{again:?}"
        );
    }
}

#[test]
fn a_full_promotion_gives_the_canary_everything() {
    let place = Place::new(&demo(&[RAMP]));
    let run = place.run(&[
        "promote",
        "bluegreen.yaml",
        "demo",
        "--full",
        DURING[0],
        DURING[1],
    ]);
    assert_eq!(
        run.out,
        "demo: blue 0 %, green 100 %; 50 % of users move from blue to green; the ramp is taken out\n"
    );
    assert_eq!(
        place.text(),
        demo(&[]).replace("90, \"green\": 10", "0, \"green\": 100")
    );
}

#[test]
fn a_swap_moves_nobody() {
    let place = Place::new(&demo(&[RAMP]));
    let over = ["--at", "2026-11-24T12:00:00Z"];
    let run = place.run(&["swap", "bluegreen.yaml", "demo", over[0], over[1]]);
    assert_eq!(
        run.out,
        "demo: blue 0 %, green 100 %; no user moves; green is stable now; the ramp is taken out\n"
    );
    let swapped = demo(&[]).replace(
        "\"green\": 10 }",
        "\"green\": 100 },\n      \"stable\": \"green\"",
    );
    assert_eq!(place.text(), swapped.replace("\"blue\": 90", "\"blue\": 0"));
    let run = place.run(&["swap", "bluegreen.yaml", "demo"]);
    assert_eq!(
        run.out,
        "demo: blue 0 %, green 100 %; no user moves; blue is stable now; green still has 100 %, and is the canary from \
         now on\n"
    );
}

#[test]
fn undo_goes_back_and_forth() {
    let place = Place::ecds(&demo(&[]));
    let first = place.text();
    let run = place.run(&["undo", "bluegreen.yaml"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("no version before is kept in"), "{run:?}");
    place.run(&["shift", "bluegreen.yaml", "--green", "25"]);
    let second = place.text();
    let dry = place.run(&["undo", "bluegreen.yaml", "--dry-run"]);
    assert!(dry.out.contains("-                \"weights\""), "{dry:?}");
    assert_eq!(place.text(), second);
    assert_eq!(place.run(&["undo", "bluegreen.yaml"]).code, 0);
    assert_eq!(place.text(), first);
    assert_eq!(place.run(&["undo", "bluegreen.yaml"]).code, 0);
    assert_eq!(place.text(), second);
}

#[test]
fn undo_waits_for_an_envoy_that_answers() {
    let place = Place::ecds(&demo(&[]));
    place.run(&["shift", "bluegreen.yaml", "--green", "25"]);
    let shifted = place.text();
    let admin = ["--admin", "http://127.0.0.1:1"];
    let run = place.run(&["undo", "bluegreen.yaml", admin[0], admin[1]]);
    assert_eq!(run.code, 3, "{run:?}");
    assert_eq!(place.text(), shifted);
}

#[test]
fn undo_checks_what_it_goes_back_to() {
    let place = Place::new(&demo(&[]));
    std::fs::write(
        place.dir().join("bluegreen.yaml.undo"),
        demo(&[]).replace("90", "91"),
    )
    .expect("a file");
    let run = place.run(&["undo", "bluegreen.yaml"]);
    assert_eq!(run.code, 1);
    assert!(
        run.err
            .contains("bluegreen.yaml.undo:6:7: rollouts[0].weights"),
        "{run:?}"
    );
    assert_eq!(place.text(), demo(&[]));
}

#[test]
fn a_new_line_is_indented_as_the_file_is() {
    for line_break in ["\n", "\r\n"] {
        let text = ecds(&demo(&[])).replace('\n', line_break);
        let place = Place::new(&text);
        assert_eq!(place.run(&["swap", "bluegreen.yaml"]).code, 0);
        let weights = "\"weights\": { \"blue\": 90, \"green\": 10 },";
        let indent = " ".repeat(16);
        let swapped = format!("{weights}{line_break}{indent}\"stable\": \"green\",");
        assert_eq!(place.text(), text.replace(weights, &swapped));
    }
}
