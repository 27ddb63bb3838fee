//! The schedule of weights: a function of clock and configuration.

use crate::support::percent;
use bluegreen::{Hold, Percent, Ramp, RampPlace, Step};
use proptest::prelude::*;

const START_MS: u64 = 1_000_000;
const MINUTE_MS: u64 = 60_000;

/// 5 % for ten minutes, 25 % for thirty, then 100 %.
fn ramp() -> Ramp {
    let steps = [
        ("5", Some(10 * MINUTE_MS)),
        ("25", Some(30 * MINUTE_MS)),
        ("100", None),
    ];
    Ramp::new(START_MS, &steps.map(step)).unwrap()
}

fn step((weight, hold_ms): (&str, Option<u64>)) -> Step {
    Step {
        weight: percent(weight),
        hold_ms,
        ..Step::default()
    }
}

/// The weight by the clock.
fn weight_at(ramp: &Ramp, now_ms: u64) -> Option<Percent> {
    let place = ramp.place_by_clock(ramp.start_ms(), now_ms, None);
    place.map(|place| place.weight)
}

/// The same where the ramp is held.
fn held_weight_at(ramp: &Ramp, now_ms: u64, hold: Hold) -> Option<Percent> {
    let place = ramp.place_by_clock(ramp.start_ms(), now_ms, Some(hold));
    place.map(|place| place.weight)
}

fn held(at: &str, promoted_at_ms: Option<u64>) -> Hold {
    Hold {
        at: percent(at),
        promoted_at_ms,
    }
}

#[track_caller]
fn assert_weight(found: Option<Percent>, expected: &str) {
    assert_eq!(found.map(|it| it.to_string()).as_deref(), Some(expected));
}

#[test]
fn there_is_no_weight_before_the_start() {
    assert_eq!(weight_at(&ramp(), 0), None);
    assert_eq!(weight_at(&ramp(), START_MS - 1), None);
    assert_eq!(held_weight_at(&ramp(), START_MS - 1, held("5", None)), None);
    assert_eq!(
        held_weight_at(&ramp(), START_MS - 1, held("5", Some(0))),
        None
    );
}

#[test]
fn each_step_begins_at_its_very_millisecond() {
    for (after_ms, weight) in [
        (0, "5"),
        (10 * MINUTE_MS - 1, "5"),
        (10 * MINUTE_MS, "25"),
        (40 * MINUTE_MS - 1, "25"),
        (40 * MINUTE_MS, "100"),
        (u64::MAX - START_MS, "100"),
    ] {
        assert_weight(weight_at(&ramp(), START_MS + after_ms), weight);
    }
}

#[test]
fn first_step_gives_the_first_weight() {
    assert_eq!(ramp().first_weight(), percent("5"));
}

#[test]
fn ramp_waits_at_the_weight_where_it_is_held() {
    for (at, after_ms, weight) in [
        ("5", 0, "5"),
        ("5", 10 * MINUTE_MS, "5"),
        ("5", u64::MAX - START_MS, "5"),
        ("10", 10 * MINUTE_MS - 1, "5"),
        ("10", 10 * MINUTE_MS, "10"),
        ("10", 50 * MINUTE_MS, "10"),
        ("25", 10 * MINUTE_MS, "25"),
        ("25", 50 * MINUTE_MS, "25"),
        ("2", 0, "2"),
        ("100", 40 * MINUTE_MS, "100"),
    ] {
        assert_weight(
            held_weight_at(&ramp(), START_MS + after_ms, held(at, None)),
            weight,
        );
    }
}

#[test]
fn ramp_that_is_promoted_in_time_is_not_late() {
    let hold = held("5", Some(START_MS + 9 * MINUTE_MS));
    assert_weight(
        held_weight_at(&ramp(), START_MS + 10 * MINUTE_MS - 1, hold),
        "5",
    );
    assert_weight(
        held_weight_at(&ramp(), START_MS + 10 * MINUTE_MS, hold),
        "25",
    );
    assert_weight(
        held_weight_at(&ramp(), START_MS + 40 * MINUTE_MS, hold),
        "100",
    );
}

#[test]
fn ramp_that_is_promoted_late_goes_on_with_the_next_step_and_holds_it_in_full() {
    let promoted_at_ms = START_MS + 90 * MINUTE_MS;
    for at in ["5", "10"] {
        let hold = held(at, Some(promoted_at_ms));
        assert_weight(held_weight_at(&ramp(), promoted_at_ms - 1, hold), at);
        assert_weight(held_weight_at(&ramp(), promoted_at_ms, hold), "25");
        assert_weight(
            held_weight_at(&ramp(), promoted_at_ms + 30 * MINUTE_MS - 1, hold),
            "25",
        );
        assert_weight(
            held_weight_at(&ramp(), promoted_at_ms + 30 * MINUTE_MS, hold),
            "100",
        );
    }
}

#[test]
fn ramp_held_below_its_first_step_begins_when_it_is_promoted() {
    let promoted_at_ms = START_MS + 90 * MINUTE_MS;
    let hold = held("2", Some(promoted_at_ms));
    assert_weight(held_weight_at(&ramp(), promoted_at_ms - 1, hold), "2");
    assert_weight(held_weight_at(&ramp(), promoted_at_ms, hold), "5");
    assert_weight(
        held_weight_at(&ramp(), promoted_at_ms + 10 * MINUTE_MS, hold),
        "25",
    );
}

#[test]
fn step_in_force_is_the_one_before_which_a_held_ramp_waits() {
    let place = |after_ms, hold| {
        let place = ramp().place_by_clock(START_MS, START_MS + after_ms, Some(hold));
        let RampPlace {
            step,
            since_ms,
            held_before,
            ..
        } = place.unwrap();
        (step, (since_ms - START_MS) / MINUTE_MS, held_before)
    };
    assert_eq!(place(9 * MINUTE_MS, held("10", None)), (0, 0, None));
    assert_eq!(place(90 * MINUTE_MS, held("10", None)), (0, 10, Some(1)));
    assert_eq!(place(90 * MINUTE_MS, held("25", None)), (1, 40, Some(2)));
    assert_eq!(place(90 * MINUTE_MS, held("2", None)), (0, 0, Some(0)));
    let promoted = held("10", Some(START_MS + 90 * MINUTE_MS));
    assert_eq!(place(100 * MINUTE_MS, promoted), (1, 90, None));
    assert_eq!(place(120 * MINUTE_MS, promoted), (2, 120, None));
}

#[test]
fn steps_without_time_are_passed_at_once() {
    let steps = [("5", Some(0)), ("25", Some(0)), ("50", None)];
    let ramp = Ramp::new(START_MS, &steps.map(step)).unwrap();
    assert_weight(weight_at(&ramp, START_MS), "50");
}

#[test]
fn times_too_far_away_do_not_wrap() {
    let steps = [("5", Some(u64::MAX)), ("25", Some(u64::MAX)), ("50", None)];
    let at = |start_ms, now_ms| {
        let ramp = Ramp::new(start_ms, &steps.map(step)).unwrap();
        weight_at(&ramp, now_ms)
    };
    assert_weight(at(1, u64::MAX), "5");
    assert_eq!(at(u64::MAX, u64::MAX - 1), None);
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec((0_u32..=100, 0_u64..5_000), 1..8).prop_map(|mut steps| {
        steps.sort_unstable();
        let last = steps.len() - 1;
        let step = |(index, (weight, hold_ms)): (usize, (u32, u64))| {
            step((&weight.to_string(), (index != last).then_some(hold_ms)))
        };
        steps.into_iter().enumerate().map(step).collect()
    })
}

proptest! {
    #[test]
    fn weight_never_falls(
        steps in steps(),
        hold_at in 0_u32..=100,
        promoted_at_ms in proptest::option::of(0_u64..60_000),
        times_ms in proptest::collection::vec(10_000_u64..60_000, 2..40),
    ) {
        let ramp = Ramp::new(10_000, &steps).unwrap();
        let hold = Hold { at: percent(&hold_at.to_string()), promoted_at_ms };
        let mut times_ms = times_ms;
        times_ms.sort_unstable();
        let weights: Vec<_> = times_ms.iter().map(|&now_ms| held_weight_at(&ramp, now_ms, hold)).collect();
        prop_assert!(weights.is_sorted(), "{weights:?}");
        let ahead = times_ms.iter().zip(&weights).find(|&(&now_ms, &weight)| weight > weight_at(&ramp, now_ms));
        prop_assert!(ahead.is_none(), "a held ramp is never ahead of one that is not");
    }
}
