//! `promote` along a ramp, and what the file does not tell.

use crate::support::{Place, demo};

fn ramp(start: &str, steps: &[&str]) -> String {
    let steps: String = steps
        .iter()
        .map(|step| format!("\n        {step},"))
        .collect();
    let steps = steps.trim_end_matches(',');
    format!("\"ramp\": {{ \"start\": \"{start}\", \"steps\": [{steps}\n      ] }}")
}

const START: &str = "2026-11-24T11:00:00Z";
const STEPS: [&str; 4] = [
    "{ \"weight\": 10, \"hold\": \"10m\" }",
    "{ \"weight\": 25, \"hold\": \"10m\" }",
    "{ \"weight\": 50, \"hold\": \"10m\" }",
    "{ \"weight\": 100 }",
];

#[test]
fn a_promotion_begins_the_next_step_now() {
    let place = Place::new(&demo(&[&ramp(START, &STEPS)]));
    let run = place.run(&["promote", "bluegreen.yaml", "--at", "2026-11-24T11:05:00Z"]);
    assert_eq!(
        run.out,
        "demo: blue 75 %, green 25 %; 15 % of users move from blue to green; 3 steps are left\n"
    );
    assert_eq!(
        place.text(),
        demo(&[&ramp("2026-11-24T11:05:00Z", &STEPS[1..])])
    );
    let run = place.run(&["promote", "bluegreen.yaml", "--at", "2026-11-24T11:06:00Z"]);
    assert_eq!(
        run.out,
        "demo: blue 50 %, green 50 %; 25 % of users move from blue to green; 2 steps are left\n"
    );
    let run = place.run(&["promote", "bluegreen.yaml", "--at", "2026-11-24T11:07:00Z"]);
    assert_eq!(
        run.out,
        "demo: blue 0 %, green 100 %; 50 % of users move from blue to green; this is the ramp's last step: the ramp is \
         taken out\n"
    );
    assert_eq!(
        place.text(),
        demo(&[]).replace("90, \"green\": 10", "0, \"green\": 100")
    );
}

#[test]
fn before_its_start_a_ramp_is_promoted_to_its_first_step() {
    let place = Place::new(&demo(&[&ramp(START, &STEPS[1..])]));
    let run = place.run(&["promote", "bluegreen.yaml", "--at", "2026-11-24T10:00:00Z"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        place.text(),
        demo(&[&ramp("2026-11-24T10:00:00Z", &STEPS[1..])])
    );
}

#[test]
fn without_a_step_to_go_to_nothing_is_promoted() {
    let place = Place::new(&demo(&[&ramp(START, &STEPS)]));
    let run = place.run(&["promote", "bluegreen.yaml", "--at", "2026-11-24T12:00:00Z"]);
    assert_eq!(
        run.out,
        "demo: nothing to change, blue 0 %, green 100 %; the ramp is at its last step\n"
    );
    let run = Place::new(&demo(&[])).run(&["promote", "bluegreen.yaml"]);
    assert_eq!(run.code, 1);
    assert!(
        run.err
            .starts_with("bluegreen: demo: there is no ramp to go along"),
        "{run:?}"
    );
}

/// A gate that is explicit holds the ramp at a weight: it has to go up with the step.
#[test]
fn a_promotion_passes_the_quality_gate() {
    let quality =
        |hold_at: &str| format!("\"quality\": {{ \"min_samples\": 10, \"hold_at\": {hold_at} }}");
    let place = Place::new(&demo(&[&ramp(START, &STEPS), &quality("10")]));
    let run = place.run(&["promote", "bluegreen.yaml", "--at", "2026-11-24T11:05:00Z"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.out
            .ends_with("; 3 steps are left; the quality gate waits at 25 % from now on\n"),
        "{run:?}"
    );
    assert_eq!(
        place.text(),
        demo(&[&ramp("2026-11-24T11:05:00Z", &STEPS[1..]), &quality("25")])
    );
}

#[test]
fn a_step_that_only_envoy_knows_is_asked_for() {
    let guard = "\"guard\": { \"window\": \"30s\", \"min_requests\": 100, \"max_error_rate\": 5 }";
    let place = Place::new(&demo(&[&ramp(START, &STEPS), guard]));
    let before = place.text();
    for command in ["swap", "pause", "resume"] {
        let run = place.run(&[command, "bluegreen.yaml", "--at", "2026-11-24T11:15:00Z"]);
        assert_eq!(run.code, 1, "{command}: {run:?}");
        assert!(
            run.err
                .contains("demo: step 0 of the ramp waits for what Envoy has seen"),
            "{command}: {run:?}"
        );
        assert!(
            run.err.contains("give --admin URL, or --step N"),
            "{command}: {run:?}"
        );
    }
    assert_eq!(place.text(), before);
    let run = place.run(&[
        "promote",
        "bluegreen.yaml",
        "--step",
        "1",
        "--at",
        "2026-11-24T11:15:00Z",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        place.text(),
        demo(&[&ramp("2026-11-24T11:15:00Z", &STEPS[2..]), guard])
    );
    let run = place.run(&["promote", "bluegreen.yaml", "--step", "7"]);
    assert_eq!(
        (run.code, run.err.as_str()),
        (2, "bluegreen: demo: --step 7, must be 0 to 1\n")
    );
}

#[test]
fn a_promotion_leaves_the_step_that_waits_by_the_file() {
    let guard = "\"guard\": { \"window\": \"30s\", \"min_requests\": 100, \"max_error_rate\": 5 }";
    let place = Place::new(&demo(&[&ramp(START, &STEPS), guard]));
    let run = place.run(&["promote", "bluegreen.yaml", "--at", "2026-11-24T11:15:00Z"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.out.ends_with(
            "3 steps are left; by the file step 0 is the one that waits; where Envoy is further, give --admin URL\n"
        ),
        "{run:?}"
    );
    let expected = demo(&[&ramp("2026-11-24T11:15:00Z", &STEPS[1..]), guard]);
    assert_eq!(place.text(), expected);
}

const SHADOW: &str = "\"shadow\": { \"percent\": 10, \"min_requests\": 1000 }";

/// A ramp that was changed would wait for copies anew, and leave the canary without users meanwhile.
#[test]
fn a_ramp_that_has_waited_for_copies_goes_on_without_them() {
    let text = demo(&[SHADOW, &ramp(START, &STEPS)]);
    let at = ["--at", "2026-11-24T11:15:00Z"];
    let promoted = Place::new(&text);
    let run = promoted.run(&["promote", "bluegreen.yaml", at[0], at[1]]);
    assert_eq!(
        run.out,
        "demo: blue 90 %, green 10 %; no user moves; 4 steps are left; requests are no longer copied: shadow is taken \
         out; by the file the ramp waits for copies of requests; where Envoy is further, give --admin URL\n",
        "{run:?}"
    );
    assert_eq!(promoted.text(), demo(&[&ramp(at[1], &STEPS)]));
    let further = Place::new(&text);
    let run = further.run(&["promote", "bluegreen.yaml", "--step", "1", at[0], at[1]]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(further.text(), demo(&[&ramp(at[1], &STEPS[2..])]));
    let paused = Place::new(&text);
    let run = paused.run(&["pause", "bluegreen.yaml", "--step", "1", at[0], at[1]]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(!paused.text().contains("shadow"), "{}", paused.text());
    assert!(
        paused
            .text()
            .contains("{ \"weight\": 25, \"pause\": true }")
    );
    for command in ["pause", "resume", "swap"] {
        let run = Place::new(&text).run(&[command, "bluegreen.yaml", at[0], at[1]]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.err.contains("may still wait for copies"), "{run:?}");
    }
}

#[test]
fn who_has_no_release_to_try_gets_no_copies() {
    for (command, after) in [
        (
            "rollback",
            demo(&[]).replace("90, \"green\": 10", "100, \"green\": 0"),
        ),
        ("swap", demo(&["\"stable\": \"green\""])),
    ] {
        for fields in [
            [SHADOW, &ramp(START, &STEPS)],
            [&ramp(START, &STEPS), SHADOW],
        ] {
            let place = Place::new(&demo(&fields));
            let run = place.run(&[command, "bluegreen.yaml", "--at", "2026-11-24T10:00:00Z"]);
            assert_eq!(run.code, 0, "{run:?}");
            assert!(
                run.out.contains(
                    "; the ramp is taken out; requests are no longer copied: shadow is taken out"
                ),
                "{run:?}"
            );
            let [found, wanted] = [place.text(), after.clone()]
                .map(|text| -> serde_json::Value { serde_json::from_str(&text).expect("JSON") });
            assert_eq!(found, wanted, "{command}");
        }
    }
}
