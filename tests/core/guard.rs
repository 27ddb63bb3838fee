//! The guard's judgement of one window.

use crate::support::percent;
use bluegreen::{Analysis, Cause, Color, Counts, Guard, Limits, PerColor, SlowAfter};

pub const fn tally(requests: u64, failed: u64, slow: u64) -> Counts {
    Counts {
        requests,
        failed,
        slow,
        timed: requests,
    }
}

fn limits(max: Option<&str>, max_over_stable: Option<&str>) -> Limits {
    Limits {
        max: max.map(percent),
        max_over_stable: max_over_stable.map(percent),
    }
}

fn guard(error_rate: Limits, slow_rate: Limits) -> Guard {
    let slow_after = (slow_rate != Limits::default()).then_some(SlowAfter::Fixed(800));
    Guard {
        window_ms: 30_000,
        min_requests: 100,
        error_rate,
        slow_rate,
        slow_after,
        per_user: false,
        sequential: None,
        count_retries: true,
    }
}

fn on_errors(max: Option<&str>, max_over_stable: Option<&str>) -> Guard {
    guard(limits(max, max_over_stable), Limits::default())
}

fn on_slow(max: Option<&str>, max_over_stable: Option<&str>) -> Guard {
    guard(Limits::default(), limits(max, max_over_stable))
}

/// What is made of green's figures beside those of blue, which is stable.
fn judge(guard: &Guard, blue: Counts, green: Counts) -> String {
    match guard.judge(Color::Blue, &PerColor { blue, green }) {
        Analysis::Inconclusive => "too few".to_owned(),
        Analysis::Passed => "kept".to_owned(),
        Analysis::Failed(breach) => breach.to_string(),
    }
}

#[track_caller]
fn assert_judged(guard: &Guard, blue: Counts, green: Counts, expected: &str) {
    assert_eq!(judge(guard, blue, green), expected);
}

pub const IDLE: Counts = tally(0, 0, 0);

#[test]
fn too_few_requests_are_never_judged() {
    for guard in [
        on_errors(Some("0"), Some("0")),
        on_slow(Some("0"), Some("0")),
    ] {
        assert_judged(&guard, tally(1_000, 0, 0), IDLE, "too few");
        assert_judged(&guard, tally(1_000, 0, 0), tally(99, 99, 99), "too few");
    }
}

#[test]
fn error_rate_is_kept_at_its_limit_and_broken_beyond() {
    let guard = on_errors(Some("5"), None);
    assert_judged(&guard, IDLE, tally(100, 5, 100), "kept");
    assert_judged(
        &guard,
        IDLE,
        tally(100, 6, 0),
        "error_rate is beyond 5 %: 6 of 100 requests, stable 0 of 0",
    );
    assert_judged(&guard, IDLE, tally(1_000, 50, 0), "kept");
    assert_judged(
        &guard,
        tally(9, 1, 0),
        tally(1_000, 51, 0),
        "error_rate is beyond 5 %: 51 of 1000 requests, stable 1 of 9",
    );
    assert_judged(&on_errors(Some("0"), None), IDLE, tally(100, 0, 0), "kept");
    assert_judged(
        &on_errors(Some("0"), None),
        IDLE,
        tally(100, 1, 0),
        "error_rate is beyond 0 %: 1 of 100 requests, stable 0 of 0",
    );
    assert_judged(
        &on_errors(Some("100"), None),
        IDLE,
        tally(100, 100, 0),
        "kept",
    );
    assert_judged(
        &on_errors(Some("0.001"), None),
        IDLE,
        tally(100_000, 1, 0),
        "kept",
    );
}

#[test]
fn slow_rate_is_kept_at_its_limit_and_broken_beyond() {
    let guard = on_slow(Some("20"), None);
    assert_judged(&guard, IDLE, tally(100, 100, 20), "kept");
    assert_judged(
        &guard,
        IDLE,
        tally(100, 0, 21),
        "slow_rate is beyond 20 %: 21 of 100 requests, stable 0 of 0",
    );
}

#[test]
fn rate_over_stable_must_surely_be_beyond_its_limit() {
    let guard = on_errors(None, Some("2"));
    let blue = tally(1_000, 10, 0);
    for (failed, expected) in [
        (10, "kept"),
        (31, "kept"),
        (53, "kept"),
        (
            54,
            "error_rate_over_stable is beyond 2 %: 54 of 1000 requests, stable 10 of 1000",
        ),
        (
            1_000,
            "error_rate_over_stable is beyond 2 %: 1000 of 1000 requests, stable 10 of 1000",
        ),
    ] {
        assert_judged(&guard, blue, tally(1_000, failed, 0), expected);
    }
    let many = tally(100_000, 1_000, 0);
    assert_judged(&guard, many, tally(100_000, 3_191, 0), "kept");
    assert_judged(
        &guard,
        many,
        tally(100_000, 3_192, 0),
        "error_rate_over_stable is beyond 2 %: 3192 of 100000 requests, stable 1000 of 100000",
    );
    let slow = on_slow(None, Some("2"));
    let blue = tally(1_000, 0, 10);
    assert_judged(&slow, blue, tally(1_000, 0, 53), "kept");
    assert_judged(
        &slow,
        blue,
        tally(1_000, 0, 54),
        "slow_rate_over_stable is beyond 2 %: 54 of 1000 requests, stable 10 of 1000",
    );
}

#[test]
fn rate_over_stable_needs_enough_requests_on_stable_too() {
    let guard = on_errors(None, Some("2"));
    assert_judged(&guard, tally(99, 0, 0), tally(1_000, 1_000, 0), "too few");
    assert_judged(
        &guard,
        tally(100, 0, 0),
        tally(1_000, 1_000, 0),
        "error_rate_over_stable is beyond 2 %: 1000 of 1000 requests, stable 0 of 100",
    );
    let both = on_errors(Some("5"), Some("2"));
    assert_judged(&both, tally(99, 0, 0), tally(1_000, 50, 0), "kept");
    assert_judged(
        &both,
        tally(99, 0, 0),
        tally(1_000, 51, 0),
        "error_rate is beyond 5 %: 51 of 1000 requests, stable 0 of 99",
    );
}

#[test]
fn color_that_is_as_bad_as_stable_is_kept() {
    let over_stable = guard(limits(None, Some("2")), limits(None, Some("2")));
    for bad in [
        tally(1_000, 1_000, 1_000),
        tally(1_000, 500, 500),
        tally(100, 50, 0),
    ] {
        assert_judged(&over_stable, bad, bad, "kept");
    }
    assert_judged(
        &over_stable,
        tally(1_000, 600, 0),
        tally(1_000, 500, 0),
        "kept",
    );
    let alone = on_errors(Some("5"), Some("2"));
    let bad = tally(1_000, 60, 0);
    assert_judged(
        &alone,
        bad,
        bad,
        "error_rate is beyond 5 %: 60 of 1000 requests, stable 60 of 1000",
    );
}

#[test]
fn errors_are_named_before_slowness() {
    let guard = guard(limits(Some("5"), Some("2")), limits(Some("20"), Some("10")));
    let blue = tally(1_000, 0, 0);
    for (green, cause) in [
        (tally(1_000, 1_000, 1_000), "error_rate is"),
        (tally(1_000, 50, 1_000), "error_rate_over_stable is"),
        (tally(1_000, 0, 1_000), "slow_rate is"),
        (tally(1_000, 0, 200), "slow_rate_over_stable is"),
    ] {
        assert!(judge(&guard, blue, green).starts_with(cause), "{cause}");
    }
}

#[test]
fn watched_color_is_the_one_that_is_not_stable() {
    let guard = on_errors(Some("5"), None);
    let tallies = PerColor {
        blue: tally(100, 0, 0),
        green: tally(100, 100, 0),
    };
    assert!(matches!(
        guard.judge(Color::Blue, &tallies),
        Analysis::Failed(_)
    ));
    assert_eq!(guard.judge(Color::Green, &tallies), Analysis::Passed);
}

#[test]
fn figures_that_contradict_each_other_are_judged_without_harm() {
    let guard = guard(limits(Some("5"), Some("2")), limits(Some("20"), Some("10")));
    let most = tally(u64::MAX, u64::MAX, u64::MAX);
    assert_judged(
        &guard,
        most,
        tally(100, 101, 0),
        "error_rate is beyond 5 %: 100 of 100 requests, stable 18446744073709551615 of 18446744073709551615",
    );
    assert!(judge(&guard, IDLE, most).starts_with("error_rate is"));
}

/// A request that still waits is known to be slow before it is finished.
#[test]
fn each_rate_has_its_own_requests() {
    let guard = Guard {
        window_ms: 10_000,
        min_requests: 20,
        error_rate: limits(Some("50"), None),
        slow_rate: limits(Some("50"), None),
        slow_after: Some(SlowAfter::Fixed(500)),
        per_user: false,
        sequential: None,
        count_retries: true,
    };
    let judge = |green: Counts| {
        let blue = tally(0, 0, 0);
        guard.judge(Color::Blue, &PerColor { blue, green })
    };
    let tally = |requests, failed, timed, slow| Counts {
        requests,
        failed,
        timed,
        slow,
    };
    let broken = |judgement| match judgement {
        Analysis::Failed(breach) => Some((breach.cause, breach.watched.to_string())),
        Analysis::Inconclusive | Analysis::Passed => None,
    };
    let hung = judge(tally(0, 0, 20, 20));
    assert_eq!(broken(hung), Some((Cause::SlowRate, "20 of 20".to_owned())));
    let hung_and_healed = judge(tally(52, 25, 22, 0));
    assert_eq!(hung_and_healed, Analysis::Passed);
    assert_eq!(judge(tally(19, 19, 19, 19)), Analysis::Inconclusive);
    let failed = judge(tally(30, 30, 19, 19));
    assert_eq!(
        broken(failed),
        Some((Cause::ErrorRate, "30 of 30".to_owned()))
    );
}
