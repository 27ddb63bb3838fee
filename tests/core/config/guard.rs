//! `guard`.

use super::{assert_accepted, assert_field};
use crate::support::config;
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
        ": no limit, must be one or more of max_error_rate, max_error_rate_over_stable, max_slow_rate and \
         max_slow_rate_over_stable",
    );
    assert_guard(
        json!({ "max_errors": 5 }),
        ".max_errors: unknown field, must be one of window, min_requests, max_error_rate, \
         max_error_rate_over_stable, slow_after, max_slow_rate, max_slow_rate_over_stable",
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
    let no_limit = ": slow_after without a limit, must be given with max_slow_rate or max_slow_rate_over_stable";
    assert_guard(json!({ "slow_after": "1s" }), no_limit);
    assert_guard(
        json!({ "slow_after": "1s", "max_error_rate": null }),
        no_limit,
    );
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
