//! The sliding window over tallies that only ever grow.

use crate::guard::{IDLE, tally};
use bluegreen::{Counts, PerColor, Window};

/// Green's tallies at some times, and what is then in a window of ten seconds.
#[track_caller]
fn assert_window(steps: &[(u64, u64, u64)]) {
    let mut window = Window::default();
    for &(now_ms, requests, expected) in steps {
        let totals = PerColor {
            blue: tally(2 * requests, 0, 0),
            green: tally(requests, 0, requests),
        };
        let within = window.slide(10_000, now_ms, totals);
        let expected = PerColor {
            blue: tally(2 * expected, 0, 0),
            green: tally(expected, 0, expected),
        };
        assert_eq!(within, expected, "at {now_ms} ms");
    }
}

#[test]
fn window_begins_with_the_first_look() {
    assert_window(&[(50_000, 700, 0), (50_200, 701, 1), (55_000, 800, 100)]);
}

#[test]
fn window_slides_on() {
    assert_window(&[
        (0, 0, 0),
        (2_000, 10, 10),
        (4_000, 30, 30),
        (10_000, 60, 60),
        (12_000, 100, 90),
        (13_999, 100, 90),
        (14_000, 100, 70),
        (20_000, 100, 40),
        (24_000, 100, 0),
    ]);
}

#[test]
fn window_after_a_pause_goes_back_to_the_last_look() {
    assert_window(&[
        (0, 0, 0),
        (1_000, 10, 10),
        (60_000, 25, 15),
        (60_200, 26, 16),
        (70_000, 30, 5),
    ]);
}

#[test]
fn counts_that_fall_begin_a_new_window() {
    assert_window(&[
        (0, 500, 0),
        (1_000, 600, 100),
        (2_000, 3, 0),
        (3_000, 8, 5),
        (12_000, 20, 17),
        (13_000, 30, 22),
    ]);
}

/// One count that falls makes the others unusable too: their parts would be held against another whole.
#[test]
fn any_count_that_falls_begins_a_new_window() {
    let before = Counts {
        requests: 20,
        failed: 10,
        timed: 20,
        slow: 10,
    };
    for fallen in [
        Counts {
            requests: 19,
            ..before
        },
        Counts {
            failed: 9,
            ..before
        },
        Counts {
            timed: 19,
            ..before
        },
        Counts { slow: 9, ..before },
    ] {
        for on_green in [true, false] {
            let totals = |counts| match on_green {
                true => PerColor {
                    blue: IDLE,
                    green: counts,
                },
                false => PerColor {
                    blue: counts,
                    green: IDLE,
                },
            };
            let mut window = Window::starting(10_000, 0, totals(IDLE));
            assert_eq!(window.slide(10_000, 200, totals(before)), totals(before));
            assert_eq!(window.slide(10_000, 400, totals(fallen)), totals(IDLE));
        }
    }
}

#[test]
fn window_through_which_nobody_has_looked_is_dropped_when_it_is_stale() {
    let totals = |requests| PerColor {
        blue: IDLE,
        green: tally(requests, 0, 0),
    };
    for (now_ms, requests) in [(10_000, 15), (10_001, 0)] {
        let mut window = Window::starting(10_000, 0, totals(5));
        window.drop_stale(10_000, now_ms);
        assert_eq!(
            window.slide(10_000, now_ms, totals(20)).green.requests,
            requests
        );
    }
}

#[test]
fn window_stays_within_a_64th_of_its_length_however_often_it_is_looked_at() {
    let mut window = Window::default();
    for now_ms in 0..100_000_u64 {
        let totals = PerColor {
            blue: IDLE,
            green: tally(now_ms, 0, 0),
        };
        let within = window.slide(10_000, now_ms, totals).green.requests;
        let length_ms = now_ms.min(10_000);
        assert!(
            (length_ms..=length_ms + 10_000 / 64).contains(&within),
            "{within} at {now_ms} ms"
        );
    }
    let snapshots = format!("{window:?}").matches("green: Counts").count();
    assert!((60..=67).contains(&snapshots), "{snapshots}");
}

#[test]
fn clock_that_goes_back_begins_a_new_window() {
    let mut window = Window::default();
    let mut slide = |now_ms, requests| {
        let totals = PerColor {
            blue: IDLE,
            green: tally(requests, 0, 0),
        };
        window.slide(10_000, now_ms, totals).green.requests
    };
    assert_eq!(slide(50_000, 10), 0);
    assert_eq!(slide(51_000, 30), 20);
    assert_eq!(slide(10_000, 40), 0);
    assert_eq!(slide(11_000, 45), 5);
    assert_eq!(slide(30_000, 50), 5);
    assert_eq!(slide(50_000, 60), 10);
}
