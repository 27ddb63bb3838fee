//! `guard`.

use super::{assert_accepted, assert_field};
use crate::support::{config, rollout};
use bluegreen::analysis::sequential::Sequential;
use serde_json::{Value, json};

/// A guard that is good but for these fields, of which null leaves one out.
#[track_caller]
fn assert_guard(fields: Value, expected: &str) {
    let mut guard = json!({ "window": "30s", "min_requests": 100, "max_error_rate": 5 });
    let guard_fields = guard.as_object_mut().unwrap();
    for (name, value) in fields.as_object().unwrap().clone() {
        guard_fields.insert(name, value);
    }
    guard_fields.retain(|_, value| !value.is_null());
    assert_field("guard", guard, expected);
}

#[test]
fn guard_has_a_window_a_minimum_and_a_limit() {
    assert_guard(
        json!({ "window": null }),
        ": window is missing, must be given",
    );
    assert_guard(
        json!({ "min_requests": null }),
        ": min_requests is missing, must be given",
    );
    assert_guard(
        json!({ "max_error_rate": null }),
        ": no limit, must be sequential, or one or more of max_error_rate, max_error_rate_over_stable, max_slow_rate \
         and max_slow_rate_over_stable",
    );
    assert_guard(
        json!({ "max_errors": 5 }),
        ".max_errors: unknown field, must be one of window, min_requests, max_error_rate, \
         max_error_rate_over_stable, slow_after, max_slow_rate, max_slow_rate_over_stable, per_user, sequential, \
         count_retries",
    );
    assert_field("guard", json!([]), ": an array, must be an object");
}

#[test]
fn guard_figures_are_in_their_ranges() {
    for bad in ["0s", "999ms", "24h 1ms", "2d"] {
        assert_guard(
            json!({ "window": bad }),
            &format!(".window: {bad:?}, must be from 1s to 24h"),
        );
    }
    assert_guard(json!({ "window": 30 }), ".window: 30, must be a string");
    assert_guard(
        json!({ "window": "30" }),
        ".window: \"30\", must be a duration such as \"500ms\", \"30s\", \"10m\", \"1h 30m\" or \"30d\"",
    );
    for bad in [
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1_000_000_001),
        json!("100"),
    ] {
        assert_guard(
            json!({ "min_requests": bad }),
            &format!(".min_requests: {bad}, must be a whole number from 1 to 1000000000"),
        );
    }
    for field in [
        "max_error_rate",
        "max_error_rate_over_stable",
        "max_slow_rate",
        "max_slow_rate_over_stable",
    ] {
        assert_guard(
            json!({ field: 101 }),
            &format!(".{field}: 101, must be a number from 0 to 100 in steps of 0.001"),
        );
    }
    for (window, min_requests) in [("1s", 1), ("24h", 1_000_000_000)] {
        let guard = json!({ "window": window, "min_requests": min_requests, "max_error_rate_over_stable": 0 });
        assert_accepted(&config(&json!({ "guard": guard })));
    }
}

#[test]
fn slow_after_goes_with_a_slow_limit() {
    let no_limit = ": slow_after without a limit, must be given with max_slow_rate, max_slow_rate_over_stable or \
                    sequential";
    assert_guard(json!({ "slow_after": "1s" }), no_limit);
    let no_time =
        ": max_slow_rate or max_slow_rate_over_stable without slow_after, must be given with it";
    assert_guard(json!({ "max_slow_rate": 5 }), no_time);
    assert_guard(json!({ "max_slow_rate_over_stable": 5 }), no_time);
    for bad in ["0s", "999us"] {
        let fields = json!({ "slow_after": bad, "max_slow_rate": 5 });
        assert_guard(
            fields,
            &format!(".slow_after: {bad:?}, must be 1 ms or more"),
        );
    }
    let guard = json!({ "window": "30s", "min_requests": 1, "slow_after": "1ms", "max_slow_rate_over_stable": 5 });
    assert_accepted(&config(&json!({ "guard": guard })));
}

#[test]
fn sequential_guard_is_complete_by_itself() {
    for guard in [
        json!({ "sequential": {} }),
        json!({ "sequential": {}, "slow_after": "auto" }),
        json!({ "sequential": {}, "slow_after": "1s" }),
        json!({ "sequential": {}, "window": "30s", "min_requests": 100 }),
        json!({ "sequential": { "tolerance": 0, "false_alarm_every": "1h" } }),
        json!({ "sequential": { "tolerance": 1000.0, "false_alarm_every": "3650d" } }),
    ] {
        assert_accepted(&config(&json!({ "guard": guard })));
    }
    let rollout = rollout(&json!({ "guard": { "sequential": {} } }));
    let sequential = rollout.guard.unwrap().sequential.unwrap();
    assert_eq!(sequential, Sequential::default());
    assert_eq!(sequential.tolerance.ratio(), 1.1);
}

#[test]
fn sequential_figures_are_in_their_ranges() {
    for bad in [
        json!(-1),
        json!(1000.001),
        json!(0.0001),
        json!("10"),
        json!(null),
    ] {
        let shown = &bad;
        assert_guard(
            json!({ "sequential": { "tolerance": bad } }),
            &format!(
                ".sequential.tolerance: {shown}, must be a number from 0 to 1000 in steps of 0.001"
            ),
        );
    }
    for bad in ["0s", "59m 59s", "3650d 1s"] {
        assert_guard(
            json!({ "sequential": { "false_alarm_every": bad } }),
            &format!(".sequential.false_alarm_every: {bad:?}, must be from 1h to 3650d"),
        );
    }
    assert_guard(
        json!({ "sequential": true }),
        ".sequential: true, must be an object",
    );
    assert_guard(
        json!({ "sequential": { "every": "1h" } }),
        ".sequential.every: unknown field, must be one of tolerance, false_alarm_every",
    );
}

#[test]
fn auto_goes_with_the_sequential_guard() {
    let alone = ": slow_after \"auto\" without sequential, must be given with it, or be a duration";
    assert_guard(json!({ "slow_after": "auto" }), alone);
    assert_guard(json!({ "slow_after": "auto", "max_slow_rate": 5 }), alone);
}

#[test]
fn limits_beside_the_sequential_guard_need_their_window() {
    for missing in ["window", "min_requests"] {
        assert_guard(
            json!({ "sequential": {}, missing: null }),
            ": a limit without window and min_requests, must be given with both",
        );
    }
}

#[test]
fn per_user_goes_with_a_limit() {
    assert_accepted(&config(&json!({
        "guard": { "window": "30s", "min_requests": 1, "max_error_rate": 5, "per_user": true },
    })));
    assert_guard(
        json!({ "sequential": {}, "max_error_rate": null, "per_user": true }),
        ": per_user without a limit, must be given with one: sequential looks at users in any case",
    );
    assert_guard(
        json!({ "per_user": 1 }),
        ".per_user: 1, must be true or false",
    );
}
