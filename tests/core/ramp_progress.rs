//! The steps of a ramp that ask for more than time: when each is left.

use crate::support::percent;
use bluegreen::{Hold, Ramp, RampPosition, RampProgress, Step, StepAnalysis};

const START_MS: u64 = 1_000_000;
const MINUTE_MS: u64 = 60_000;
const IMPLIED: u64 = 100;

fn step(weight: &str, hold_ms: Option<u64>, min_requests: Option<u64>) -> Step {
    Step {
        weight: percent(weight),
        hold_ms,
        min_requests,
        pause: false,
    }
}

/// 5 % for ten minutes and 100 requests, 25 % for 500 requests, 50 % for ever, 100 %.
fn ramp() -> Ramp {
    let steps = [
        step("5", Some(10 * MINUTE_MS), None),
        step("25", None, Some(500)),
        Step {
            pause: true,
            ..step("50", None, None)
        },
        step("100", None, None),
    ];
    Ramp::new(START_MS, &steps).unwrap()
}

const fn at(step: usize, since_ms: u64, requests_before: u64) -> RampPosition {
    RampPosition {
        step,
        since_ms,
        requests_before: Some(requests_before),
    }
}

/// It has not begun.
const fn before(step: usize, since_ms: u64) -> RampPosition {
    RampPosition {
        step,
        since_ms,
        requests_before: None,
    }
}

fn judge(position: RampPosition, requests: u64, now_ms: u64) -> StepAnalysis {
    position.judge(&ramp(), None, IMPLIED, requests, now_ms)
}

const fn stays(waits: bool) -> StepAnalysis {
    StepAnalysis { next: None, waits }
}

const fn goes_to(next: RampPosition) -> StepAnalysis {
    StepAnalysis {
        next: Some(next),
        waits: false,
    }
}

fn held(at: &str, promoted_at_ms: Option<u64>) -> Option<Hold> {
    Some(Hold {
        at: percent(at),
        promoted_at_ms,
    })
}

/// The weight and the index of the step in force.
fn shown(position: RampPosition, now_ms: u64, hold: Option<Hold>) -> Option<(String, usize)> {
    let place = RampProgress::AtStep(position).place(&ramp(), now_ms, hold);
    place.map(|place| (place.weight.to_string(), place.step))
}

#[test]
fn step_is_left_when_all_that_it_asks_for_is_there() {
    let first = at(0, START_MS, 40);
    let over_ms = START_MS + 10 * MINUTE_MS;
    assert_eq!(judge(first, 140, over_ms - 1), stays(false));
    assert_eq!(judge(first, 139, over_ms), stays(true));
    assert_eq!(judge(first, 139, over_ms + MINUTE_MS), stays(true));
    assert_eq!(judge(first, 140, over_ms), goes_to(at(1, over_ms, 140)));
    // Requests are counted, and time is taken, from where the step began.
    let second = at(1, over_ms, 140);
    assert_eq!(judge(second, 639, over_ms), stays(true));
    assert_eq!(judge(second, 640, over_ms), goes_to(at(2, over_ms, 640)));
}

#[test]
fn pause_is_never_left_nor_is_the_last_step() {
    for now_ms in [START_MS, u64::MAX] {
        assert_eq!(judge(at(2, START_MS, 0), u64::MAX, now_ms), stays(true));
        assert_eq!(judge(at(3, START_MS, 0), u64::MAX, now_ms), stays(false));
    }
}

#[test]
fn requests_that_are_not_given_are_those_that_the_guard_implies() {
    let position = at(0, START_MS, 0);
    let over_ms = START_MS + 10 * MINUTE_MS;
    let judge = |implied| position.judge(&ramp(), None, implied, 0, over_ms);
    assert_eq!(judge(1), stays(true));
    assert_eq!(judge(0), goes_to(at(1, over_ms, 0)));
    let asks = |min_requests, implied| {
        let steps = [step("5", Some(1), min_requests), step("100", None, None)];
        Ramp::new(0, &steps).unwrap().asks_for_evidence(implied)
    };
    for (min_requests, implied, expected) in [
        (None, 0, false),
        (None, 1, true),
        (Some(0), 1, false),
        (Some(1), 0, true),
    ] {
        assert_eq!(
            asks(min_requests, implied),
            expected,
            "{min_requests:?}, {implied}"
        );
    }
    assert!(ramp().asks_for_evidence(0), "pause");
    let scheduled = Ramp::new(0, &[step("100", None, None)]).unwrap();
    assert!(
        !scheduled.asks_for_evidence(100),
        "the last step asks for nothing"
    );
}

#[test]
fn first_step_begins_at_the_start() {
    let first = before(0, START_MS);
    assert_eq!(judge(first, 7, START_MS - 1), stays(false));
    assert_eq!(shown(first, START_MS - 1, None), None);
    assert_eq!(judge(first, 7, START_MS), goes_to(at(0, START_MS, 7)));
    assert_eq!(shown(first, START_MS, None), Some(("5".to_owned(), 0)));
    assert!(RampProgress::AtStep(first).goes_by_clock());
    assert!(!RampProgress::AtStep(at(0, START_MS, 7)).goes_by_clock());
}

#[test]
fn clock_or_count_that_falls_is_counted_from_anew() {
    let position = at(1, START_MS, 140);
    assert_eq!(
        judge(position, 150, START_MS - 5),
        goes_to(at(1, START_MS - 5, 140))
    );
    assert_eq!(
        judge(position, 100, START_MS + 5),
        goes_to(at(1, START_MS, 100))
    );
    assert_eq!(shown(position, 0, None), Some(("25".to_owned(), 1)));
}

#[test]
fn gate_holds_a_ramp_and_then_lets_it_take_the_step_before_which_it_waited() {
    let (now_ms, hold) = (START_MS + 10 * MINUTE_MS, held("10", None));
    let judge =
        |position: RampPosition, hold, now_ms| position.judge(&ramp(), hold, IMPLIED, 140, now_ms);
    let first = at(0, START_MS, 40);
    assert_eq!(judge(first, hold, now_ms - 1), stays(false));
    assert_eq!(shown(first, now_ms, hold), Some(("5".to_owned(), 0)));
    // The step is over: the ramp goes up to where it is held.
    let waiting = before(1, now_ms);
    assert_eq!(judge(first, hold, now_ms), goes_to(waiting));
    assert_eq!(shown(waiting, now_ms, hold), Some(("10".to_owned(), 0)));
    let later_ms = now_ms + MINUTE_MS;
    assert_eq!(judge(waiting, hold, later_ms), stays(true));
    let promoted = held("10", Some(later_ms));
    assert_eq!(
        judge(waiting, promoted, later_ms),
        goes_to(at(1, later_ms, 140))
    );
    assert_eq!(
        shown(waiting, later_ms, promoted),
        Some(("25".to_owned(), 1))
    );
    // A gate that was passed in time keeps nothing.
    assert_eq!(
        judge(first, held("10", Some(0)), now_ms),
        goes_to(at(1, now_ms, 140))
    );
    // One that has to be passed anew takes the ramp back.
    let third = at(2, START_MS, 0);
    assert_eq!(shown(third, now_ms, hold), Some(("10".to_owned(), 0)));
    let back = StepAnalysis {
        next: Some(before(1, now_ms)),
        waits: true,
    };
    assert_eq!(judge(third, hold, now_ms), back);
}

#[test]
fn gate_below_the_first_step_holds_it_from_the_start() {
    let hold = held("2", None);
    let first = before(0, START_MS);
    assert_eq!(shown(first, START_MS - 1, hold), None);
    assert_eq!(shown(first, START_MS, hold), Some(("2".to_owned(), 0)));
    assert_eq!(first.judge(&ramp(), hold, 0, 0, START_MS), stays(true));
    let promoted = held("2", Some(START_MS + 9));
    let begun = first.judge(&ramp(), promoted, 0, 3, START_MS + 9);
    assert_eq!(begun, goes_to(at(0, START_MS + 9, 3)));
}

#[test]
fn step_that_is_not_there_gives_no_weight() {
    assert_eq!(shown(at(9, START_MS, 0), START_MS, None), None);
    assert_eq!(judge(at(9, START_MS, 0), 9, START_MS), stays(false));
}
