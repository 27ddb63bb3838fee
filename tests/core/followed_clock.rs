//! A steady clock that is read by way of one that may step.

use bluegreen::value::followed_clock::FollowedClock;

const SECOND_NS: u64 = 1_000_000_000;

#[test]
fn wall_clock_is_followed_for_a_second() {
    let clock = FollowedClock::new(1_000 * SECOND_NS, 5 * SECOND_NS);
    for ahead_ns in [0, 1, SECOND_NS / 2, FollowedClock::MAX_AHEAD_NS] {
        let steady_ns = clock.steady_ns(1_000 * SECOND_NS + ahead_ns);
        assert_eq!(steady_ns, Some(5 * SECOND_NS + ahead_ns));
    }
}

#[test]
fn wall_clock_that_has_stepped_is_not_followed() {
    let clock = FollowedClock::new(1_000 * SECOND_NS, 5 * SECOND_NS);
    for wall_ns in [
        0,
        1_000 * SECOND_NS - 1,
        1_001 * SECOND_NS + 1,
        1_060 * SECOND_NS,
        u64::MAX,
    ] {
        assert_eq!(clock.steady_ns(wall_ns), None, "{wall_ns}");
    }
}
