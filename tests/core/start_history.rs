//! The canary's share at the moment a request began.

use crate::support::percent;
use bluegreen::Color;
use bluegreen::analysis::start_history::StartHistory;

fn add(history: &mut StartHistory, second: u64, blue: i64, green: i64) {
    history.add(second, Color::Blue, blue);
    history.add(second, Color::Green, green);
}

#[track_caller]
fn assert_share(history: &StartHistory, second: u64, expected: f64) {
    let share = history.share(second, Color::Green, 0).unwrap();
    assert!((share - expected).abs() < 1e-9, "{share}");
}

#[test]
fn the_share_is_that_of_the_moment() {
    let mut history = StartHistory::default();
    add(&mut history, 10, 900, 100);
    add(&mut history, 11, 500, 500);
    assert_share(&history, 10, 0.1);
    assert_share(&history, 11, 0.5);
    assert_eq!(history.share(9, Color::Green, 0), None);
}

#[test]
fn few_requests_are_seen_together_with_those_before_them() {
    let mut history = StartHistory::default();
    add(&mut history, 10, 8, 2);
    add(&mut history, 11, 10, 0);
    assert_share(&history, 11, 0.1);
    assert_share(&history, 10, 0.2);
    // Within a minute.
    add(&mut history, 80, 1, 1);
    assert_share(&history, 80, 0.5);
}

#[test]
fn requests_under_other_weights_tell_nothing() {
    let mut history = StartHistory::default();
    for second in 0..100 {
        if second == 50 {
            history.begin_weights(second, percent("50"));
        }
        let [blue, green] = if second < 50 { [9, 1] } else { [5, 5] };
        add(&mut history, second, blue, green);
    }
    assert_share(&history, 48, 0.1);
    // The seconds around the change stand for themselves.
    assert_share(&history, 49, 0.5);
    assert_share(&history, 51, 0.5);
    assert_share(&history, 60, 0.5);
}

#[test]
fn what_is_learned_late_counts_when_it_began() {
    let mut history = StartHistory::default();
    add(&mut history, 10, 300, 0);
    add(&mut history, 12, 600, 0);
    history.add(10, Color::Green, 300);
    history.add(12, Color::Blue, -200);
    history.add(12, Color::Green, 200);
    assert_share(&history, 10, 0.5);
    assert_share(&history, 12, 1.0 / 3.0);
}

#[test]
fn a_canary_below_its_weight_is_taken_for_one_with_it() {
    let mut history = StartHistory::default();
    history.begin_weights(0, percent("20"));
    for second in 10..20 {
        add(&mut history, second, 990, 10);
    }
    assert_share(&history, 19, 0.2);
    // Above its weight it has what it has.
    for second in 20..30 {
        add(&mut history, second, 500, 500);
    }
    assert_share(&history, 29, 0.5);
}

#[test]
fn a_canary_without_requests_has_its_weight() {
    let mut history = StartHistory::default();
    history.begin_weights(0, percent("5"));
    add(&mut history, 10, 300, 0);
    assert_share(&history, 10, 0.05);
    history.begin_weights(11, percent("100"));
    add(&mut history, 20, 300, 0);
    assert_share(&history, 20, 1.0);
}

#[test]
fn twenty_minutes_are_kept_and_a_second_of_long_ago_is_known_to_sixteen() {
    let mut history = StartHistory::default();
    for second in 0..2_000 {
        let [blue, green] = if second < 1_600 {
            [900, 100]
        } else {
            [500, 500]
        };
        add(&mut history, second, blue, green);
    }
    assert_share(&history, 1_500, 0.1);
    assert_share(&history, 1_700, 0.5);
    assert!(history.share(810, Color::Green, 0).is_some());
    assert_eq!(history.share(780, Color::Green, 0), None);
}

#[test]
fn a_request_that_is_known_of_counts() {
    let mut history = StartHistory::default();
    add(&mut history, 10, 99, 0);
    let share = history.share(10, Color::Green, 1).unwrap();
    assert!((share - 0.01).abs() < 1e-9, "{share}");
}
