//! `ramp`.

use super::{assert_accepted, assert_field};
use crate::support::config;
use bluegreen::Color;
use serde_json::{Value, json};

#[track_caller]
fn assert_steps(steps: Value, expected: &str) {
    let ramp = json!({ "start": "2026-11-23T10:00:00Z", "steps": steps });
    assert_field("ramp", ramp, &format!(".steps{expected}"));
}

#[test]
fn ramp_rises_step_by_step() {
    let step = |weight: f64| json!({ "weight": weight, "hold": "10m" });
    let last = json!({ "weight": 100 });
    assert_steps(json!([]), ": [], must be one step or more");
    assert_steps(
        json!([step(25.0), step(5.0), last]),
        "[1]: weight 5 after 25, must be 25 or more",
    );
    assert_steps(
        json!([step(25.5), { "weight": 25.499 }]),
        "[1]: weight 25.499 after 25.5, must be 25.5 or more",
    );
    assert_steps(
        json!([{ "weight": 5 }, last]),
        "[0]: hold is missing, must be given before the last step, or min_requests or pause",
    );
    assert_steps(
        json!([step(5.0), step(100.0)]),
        "[1]: hold in the last step, must be absent",
    );
    assert_steps(
        json!([step(5.0)]),
        "[0]: hold in the last step, must be absent",
    );
    assert_steps(
        json!([{ "hold": "1s" }]),
        "[0]: weight is missing, must be given",
    );
    assert_steps(
        json!([{ "weight": 101 }]),
        "[0].weight: 101, must be a number from 0 to 100 in steps of 0.001",
    );
    assert_steps(
        json!([step(25.0), { "weight": 5 }, { "weight": 4, "hold": "1s" }]),
        "[1]: weight 5 after 25, must be 25 or more\n\
         rollouts[0].ramp.steps[1]: hold is missing, must be given before the last step, or min_requests or pause\n\
         rollouts[0].ramp.steps[2]: weight 4 after 5, must be 5 or more\n\
         rollouts[0].ramp.steps[2]: hold in the last step, must be absent",
    );
    assert_steps(json!([7]), "[0]: 7, must be an object");
    assert_steps(json!({}), ": an object, must be an array");
    assert_steps(
        json!([{ "weight": 5, "weights": 5 }]),
        "[0].weights: unknown field, must be one of weight, hold, min_requests, pause",
    );
    for (hold, shown) in [
        (json!("10"), "\"10\""),
        (json!("soon"), "\"soon\""),
        (json!(""), "\"\""),
        (json!("-1s"), "\"-1s\""),
    ] {
        let message = format!(
            "[0].hold: {shown}, must be a duration such as \"500ms\", \"30s\", \"10m\", \"1h 30m\" or \"30d\""
        );
        assert_steps(json!([{ "weight": 5, "hold": hold }, last]), &message);
    }
    assert_steps(
        json!([{ "weight": 5, "hold": 10 }, last]),
        "[0].hold: 10, must be a string",
    );
    let ramp = json!({ "start": "2026-11-23T10:00:00Z", "steps": [step(5.0), step(5.0), { "weight": 5 }] });
    assert_accepted(&config(&json!({ "ramp": ramp })));
}

#[test]
fn step_asks_for_what_it_may() {
    let last = json!({ "weight": 100 });
    for asked in [
        json!({ "min_requests": 0 }),
        json!({ "min_requests": 1_000_000_000 }),
        json!({ "pause": true }),
        json!({ "pause": true, "min_requests": 5 }),
        json!({ "hold": "1m", "min_requests": 5 }),
        json!({ "hold": "1m", "pause": false }),
    ] {
        let step = crate::support::merged(json!({ "weight": 5 }), &asked);
        let last = json!({ "weight": 100, "pause": false });
        let ramp = json!({ "start": "2026-11-23T10:00:00Z", "steps": [step, last] });
        assert_accepted(&config(&json!({ "ramp": ramp })));
    }
    assert_steps(
        json!([{ "weight": 5, "hold": "1m", "pause": true }, last]),
        "[0]: pause with hold, must be one of the two",
    );
    assert_steps(
        json!([{ "weight": 5, "pause": false }, last]),
        "[0]: hold is missing, must be given before the last step, or min_requests or pause",
    );
    assert_steps(
        json!([{ "weight": 5, "hold": "1m" }, { "weight": 100, "min_requests": 0 }]),
        "[1]: min_requests in the last step, must be absent",
    );
    assert_steps(
        json!([{ "weight": 5, "min_requests": 5, "hold": "1m", "pause": true }]),
        "[0]: hold in the last step, must be absent\n\
         rollouts[0].ramp.steps[0]: min_requests in the last step, must be absent\n\
         rollouts[0].ramp.steps[0]: pause in the last step, must be absent",
    );
    for bad in [json!(-1), json!(0.5), json!(1_000_000_001)] {
        let message =
            format!("[0].min_requests: {bad}, must be a whole number from 0 to 1000000000");
        assert_steps(
            json!([{ "weight": 5, "min_requests": bad }, last]),
            &message,
        );
    }
    assert_steps(
        json!([{ "weight": 5, "min_requests": "5" }, last]),
        "[0].min_requests: \"5\", must be a whole number from 0 to 1000000000",
    );
    assert_steps(
        json!([{ "weight": 5, "pause": "true" }, last]),
        "[0].pause: \"true\", must be true or false",
    );
}

/// A guard alone does not say how long a step lasts.
#[test]
fn step_with_a_guard_asks_for_something_too() {
    let guard = json!({ "window": "30s", "min_requests": 100, "max_error_rate": 5 });
    let ramp =
        json!({ "start": "2026-11-23T10:00:00Z", "steps": [{ "weight": 5 }, { "weight": 100 }] });
    super::assert_rollout(
        json!({ "guard": guard, "ramp": ramp }),
        ".ramp.steps[0]: hold is missing, must be given before the last step, or min_requests or pause",
    );
}

#[test]
fn ramp_has_a_start_and_steps() {
    let steps = json!([{ "weight": 5 }]);
    assert_field(
        "ramp",
        json!({ "steps": steps }),
        ": start is missing, must be given",
    );
    assert_field(
        "ramp",
        json!({ "start": "2026-11-23T10:00:00Z" }),
        ": steps is missing, must be given",
    );
    assert_field(
        "ramp",
        json!({ "start": "2026-11-23T10:00:00Z", "steps": steps, "begin": 1 }),
        ".begin: unknown field, must be one of start, steps",
    );
    for bad in [
        "",
        "now",
        "2026-11-23",
        "10:00:00Z",
        "2026-11-23T10:00:00",
        "2026-11-23T10:00Z",
        "2026-13-01T10:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-11-23T25:00:00Z",
        "2026-11-23T10:00:00+24:00",
        "2026-11-23T10:00:00+01:60",
        "2026-11-23T10:00:00+0100",
        "2026-11-23T10:00:00+01",
        "2026-11-23T10:00:00 +01:00",
        "2026-11-23T10:00:00ZZ",
        "2026-11-23T10:00:00Z+01:00",
        "2026-11-23T10:00:00+01:00Z",
        "2026-11-23T10:00:00+2:000",
        "2026-11-23T10:00:00++1:00",
        "2026-11-23T10:00:00+01:+5",
        "2026-11-23T10:00:00.Z",
        "2026-11-23T10:00:00.+01:00",
        "2026-11-23T10:00:00-24:00",
        "2026-11-23T10:00:00+99:59",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "1795428000",
        "+01:00",
        "ä+01:00",
    ] {
        let ramp = json!({ "start": bad, "steps": steps });
        assert_field(
            "ramp",
            ramp,
            &format!(".start: {bad:?}, must be an RFC 3339 time such as \"2026-11-23T10:00:00Z\""),
        );
    }
    assert_field(
        "ramp",
        json!({ "start": 1_795_428_000, "steps": steps }),
        ".start: 1795428000, must be a string",
    );
}

#[test]
fn ramp_starts_at_the_same_moment_however_it_is_written() {
    let moment_ms = 1_795_428_000_000;
    for (start, start_ms) in [
        ("2026-11-23T10:00:00Z", moment_ms),
        ("2026-11-23t10:00:00z", moment_ms),
        ("2026-11-23T10:00:00+00:00", moment_ms),
        ("2026-11-23T10:00:00-00:00", moment_ms),
        ("2026-11-23T12:00:00+02:00", moment_ms),
        ("2026-11-23T15:30:00+05:30", moment_ms),
        ("2026-11-22T23:00:00-11:00", moment_ms),
        ("2026-11-23T04:30:00-05:30", moment_ms),
        ("2026-11-23t12:00:00.5+02:00", moment_ms + 500),
        ("2026-11-24T09:59:00+23:59", moment_ms),
        ("2026-11-24T00:00:00+14:00", moment_ms),
        ("2026-11-23T10:00:00.250Z", moment_ms + 250),
        ("2026-11-23T11:00:00.5+01:00", moment_ms + 500),
        ("1970-01-01T00:00:00Z", 0),
    ] {
        let ramp = json!({ "start": start, "steps": [{ "weight": 77 }] });
        let rollout = crate::support::rollout(&json!({ "ramp": ramp }));
        let green_at = |now_ms| {
            rollout
                .weights_at(now_ms, Default::default())
                .of(Color::Green)
                .to_string()
        };
        assert_eq!(green_at(start_ms), "77", "{start}");
        if let Some(before_ms) = start_ms.checked_sub(1) {
            assert_eq!(green_at(before_ms), "50", "{start}");
        }
    }
}
