//! Users in place of requests in the guard's window.

use crate::guard::tally;
use bluegreen::analysis::incident::{Incident, IncidentKind};
use bluegreen::analysis::user_window::UserWindow;
use bluegreen::{Bucket, Color, PerColor};

fn failed(color: Color, user: Option<u32>, count: u32) -> Incident {
    Incident {
        kind: IncidentKind::Failed,
        began_s: 0,
        color,
        user: user.and_then(Bucket::new),
        count,
    }
}

fn failed_of(users: &UserWindow, color: Color) -> u64 {
    let counts = PerColor::from_fn(|_| tally(1_000, 500, 300));
    let counts = *users.per_user(&counts).of(color);
    assert_eq!(counts.requests, 1_000);
    counts.failed
}

#[test]
fn user_counts_once_in_a_window() {
    let mut users = UserWindow::default();
    for now_ms in [0, 5_000, 10_000] {
        users.observe(10_000, now_ms, &[failed(Color::Green, Some(1), 50)]);
    }
    assert_eq!(failed_of(&users, Color::Green), 1);
    users.observe(10_000, 10_001, &[failed(Color::Green, Some(1), 50)]);
    assert_eq!(failed_of(&users, Color::Green), 2);
}

#[test]
fn colors_users_and_kinds_are_told_apart() {
    let mut users = UserWindow::default();
    let slow = Incident {
        kind: IncidentKind::Slow,
        ..failed(Color::Green, Some(1), 1)
    };
    users.observe(
        10_000,
        0,
        &[
            failed(Color::Green, Some(1), 3),
            failed(Color::Green, Some(2), 3),
            failed(Color::Blue, Some(1), 3),
            slow,
            slow,
        ],
    );
    assert_eq!(failed_of(&users, Color::Green), 2);
    assert_eq!(failed_of(&users, Color::Blue), 1);
    let counts = users.per_user(&PerColor::default());
    assert_eq!((counts.green.slow, counts.blue.slow), (1, 0));
}

#[test]
fn requests_without_a_key_count_each() {
    let mut users = UserWindow::default();
    users.observe(
        10_000,
        0,
        &[failed(Color::Green, None, 3), failed(Color::Green, None, 4)],
    );
    assert_eq!(failed_of(&users, Color::Green), 7);
}
