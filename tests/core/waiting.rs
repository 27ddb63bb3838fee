//! Requests that wait for their response.

use bluegreen::analysis::waiting::{Wait, WaitingRequests};

const MS: u64 = 1_000_000;

fn wait(is_slow: bool, was_found: bool) -> Option<(bool, bool)> {
    Some((is_slow, was_found))
}

fn ended(wait: Option<Wait>) -> Option<(bool, bool)> {
    wait.map(|it| (it.is_slow, it.was_found))
}

#[test]
fn request_is_slow_once_it_has_waited_longer_than_its_limit() {
    let mut waiting = WaitingRequests::default();
    waiting.begin("a", 10 * MS, 5 * MS);
    waiting.begin("b", 10 * MS, 50 * MS);
    waiting.begin("c", 12 * MS, 5 * MS);
    let mut found = |now_ns| waiting.find_slow(now_ns, true).copied().collect::<Vec<_>>();
    assert_eq!(found(15 * MS), [""; 0]);
    assert_eq!(found(15 * MS + 1), ["a"]);
    assert_eq!(found(16 * MS), [""; 0]);
    assert_eq!(found(u64::MAX), ["b", "c"]);
    assert_eq!(found(u64::MAX), [""; 0]);
}

#[test]
fn end_tells_whether_the_request_was_slow_and_whether_that_is_known() {
    let mut waiting = WaitingRequests::default();
    let [fast, slow, found] = [0, 0, 0].map(|since_ns| waiting.begin((), since_ns, 5 * MS));
    assert_eq!(ended(waiting.end(&fast, 5 * MS)), wait(false, false));
    assert_eq!(ended(waiting.end(&slow, 6 * MS)), wait(true, false));
    assert_eq!(waiting.find_slow(6 * MS, true).count(), 1);
    assert_eq!(ended(waiting.end(&found, 6 * MS)), wait(true, true));
    assert_eq!(waiting.end(&found, 6 * MS), None);
    assert_eq!(waiting.find_slow(u64::MAX, true).count(), 0);
}

#[test]
fn clock_that_goes_back_makes_no_request_slow() {
    let mut waiting = WaitingRequests::default();
    let key = waiting.begin((), 1_000 * MS, 5 * MS);
    assert_eq!(waiting.find_slow(0, true).count(), 0);
    assert_eq!(ended(waiting.end(&key, 0)), wait(false, false));
}

#[test]
fn end_tells_how_long_a_request_waited() {
    let mut waiting = WaitingRequests::default();
    let key = waiting.begin((), 1_000 * MS, u64::MAX);
    assert_eq!(waiting.end(&key, 1_007 * MS).unwrap().waited_ns, 7 * MS);
}

#[test]
fn request_that_waits_for_a_body_is_slow_only_where_bodies_are_seen() {
    let mut waiting = WaitingRequests::default();
    let answered = waiting.begin("answered", 0, 5 * MS);
    let late = waiting.begin("late", 0, 5 * MS);
    waiting.begin("unanswered", 0, 5 * MS);
    waiting.answer(&answered);
    waiting.answer(&late);
    let unseen: Vec<_> = waiting.find_slow(6 * MS, false).copied().collect();
    assert_eq!(unseen, ["unanswered"]);
    assert_eq!(ended(waiting.end(&late, 6 * MS)), wait(true, false));
    let seen: Vec<_> = waiting.find_slow(6 * MS, true).copied().collect();
    assert_eq!(seen, ["answered"]);
}
