//! `pause` and `resume`.

use crate::support::{Place, demo};

fn ramp(start: &str, steps: &str) -> String {
    format!("\"ramp\": {{ \"start\": \"{start}\", \"steps\": [ {steps} ] }}")
}

const START: &str = "2026-11-24T11:00:00Z";
const DURING: [&str; 2] = ["--at", "2026-11-24T11:15:00Z"];
const STEPS: &str =
    r#"{ "weight": 10, "hold": "10m" }, { "weight": 25, "hold": "10m" }, { "weight": 100 }"#;
const LEFT: &str = r#"{ "weight": 25, "hold": "10m" }, { "weight": 100 }"#;

#[test]
fn a_pause_keeps_the_weight_in_force_and_resume_goes_on() {
    let place = Place::new(&demo(&[&ramp(START, STEPS)]));
    let run = place.run(&["pause", "bluegreen.yaml", DURING[0], DURING[1]]);
    assert_eq!(
        run.out,
        "demo: blue 75 %, green 25 %; no user moves; the step that is over is taken out of the ramp\n",
        "{run:?}"
    );
    let paused = format!("{{ \"weight\": 25, \"pause\": true }}, {LEFT}");
    assert_eq!(place.text(), demo(&[&ramp(START, &paused)]));
    // However long it takes, and whatever an Envoy remembers.
    let much_later = ["--at", "2027-01-01T00:00:00Z"];
    let explained = place.run(&[
        "explain",
        "bluegreen.yaml",
        "/",
        much_later[0],
        much_later[1],
    ]);
    assert!(
        explained
            .out
            .contains("blue 75 %, green 25 %, from the ramp"),
        "{explained:?}"
    );
    let again = place.run(&["pause", "bluegreen.yaml", much_later[0], much_later[1]]);
    assert_eq!(
        again.out,
        "demo: nothing to change, blue 75 %, green 25 %; the ramp is paused already\n"
    );
    let run = place.run(&["resume", "bluegreen.yaml", much_later[0], much_later[1]]);
    assert_eq!(
        run.out,
        "demo: blue 75 %, green 25 %; no user moves; 2 steps are left\n"
    );
    assert_eq!(place.text(), demo(&[&ramp("2027-01-01T00:00:00Z", LEFT)]));
}

#[test]
fn a_ramp_is_paused_before_it_starts() {
    let steps = STEPS.replace("\"weight\": 10,", "\"weight\": 20,");
    let text = demo(&[&ramp(START, &steps)]);
    let place = Place::new(&text);
    let before = ["--at", "2026-11-24T10:00:00Z"];
    let run = place.run(&["pause", "bluegreen.yaml", before[0], before[1]]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        place.text(),
        demo(&[&ramp(
            START,
            &format!("{{ \"weight\": 10, \"pause\": true }}, {steps}")
        )])
    );
    let run = place.run(&["resume", "bluegreen.yaml", before[0], before[1]]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(place.text(), text);
}

#[test]
fn a_pause_of_steps_on_lines_of_their_own_gets_one_too() {
    let lines =
        "\n        { \"weight\": 10, \"hold\": \"1h\" },\n        { \"weight\": 100 }\n      ";
    let place = Place::new(&demo(&[&ramp(START, lines)]));
    assert_eq!(
        place
            .run(&["pause", "bluegreen.yaml", DURING[0], DURING[1]])
            .code,
        0
    );
    let paused = format!("\n        {{ \"weight\": 10, \"pause\": true }},{lines}");
    assert_eq!(place.text(), demo(&[&ramp(START, &paused)]));
}

#[test]
fn a_promotion_leaves_a_pause() {
    let steps = format!("{{ \"weight\": 25, \"pause\": true }}, {STEPS}")
        .replace("\"weight\": 10,", "\"weight\": 25,");
    let place = Place::new(&demo(&[&ramp(START, &steps)]));
    let run = place.run(&["promote", "bluegreen.yaml", DURING[0], DURING[1]]);
    assert_eq!(
        run.out, "demo: blue 75 %, green 25 %; no user moves; 3 steps are left\n",
        "{run:?}"
    );
}

#[test]
fn where_nothing_goes_on_nothing_is_paused() {
    let run = Place::new(&demo(&[])).run(&["pause", "bluegreen.yaml"]);
    assert_eq!(
        run.out,
        "demo: nothing to change, blue 90 %, green 10 %; there is no ramp: the weights stay as they are\n"
    );
    let place = Place::new(&demo(&[&ramp(START, STEPS)]));
    let run = place.run(&["pause", "bluegreen.yaml", "--at", "2026-11-24T12:00:00Z"]);
    assert_eq!(run.code, 0);
    assert!(
        run.out
            .ends_with("the ramp is at its last step: the weights stay as they are\n"),
        "{run:?}"
    );
    let run = place.run(&["resume", "bluegreen.yaml", DURING[0], DURING[1]]);
    assert!(run.out.ends_with("; the ramp is not paused\n"), "{run:?}");
}
