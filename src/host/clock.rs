//! Time from Envoy: by a clock that never steps for durations, and by the wall clock for schedules.

use super::proxy_wasm::calls;
use crate::policy::figures::Now;
use crate::value::followed_clock::FollowedClock;
use log::error;
use std::cell::Cell;

thread_local! {
    static IS_STEADY_REFUSED: Cell<bool> = const { Cell::new(false) };
    static SECOND: Cell<u64> = const { Cell::new(0) };
    static FOLLOWED: Cell<FollowedClock> = const { Cell::new(FollowedClock::new(0, 0)) };
}

/// Nanoseconds since some time before Envoy's start, the same on all workers. Where the capability
/// `clock_time_get` is withheld, those of the wall clock.
pub fn steady_ns() -> u64 {
    if let Ok(now_ns) = calls::steady_ns() {
        return now_ns;
    }
    if !IS_STEADY_REFUSED.replace(true) {
        error!(
            "durations go by the wall clock, and a step of it makes them wrong: allow clock_time_get"
        );
    }
    calls::wall_ns()
}

/// As [`steady_ns`], at less cost. A step of the wall clock by less than a second is noticed at the next tick.
pub fn about_steady_ns() -> u64 {
    let wall_ns = calls::wall_ns();
    FOLLOWED.get().steady_ns(wall_ns).unwrap_or_else(|| {
        let steady_ns = steady_ns();
        FOLLOWED.set(FollowedClock::new(wall_ns, steady_ns));
        steady_ns
    })
}

/// The time by both clocks.
pub fn now() -> Now {
    let (wall_ns, steady_ns) = (calls::wall_ns(), steady_ns());
    FOLLOWED.set(FollowedClock::new(wall_ns, steady_ns));
    SECOND.set(steady_ns / 1_000_000_000);
    Now {
        steady_ms: steady_ns / 1_000_000,
        wall_ms: wall_ns / 1_000_000,
    }
}

/// The second of the last tick, by the clock that never steps. It costs no call.
pub fn second() -> u64 {
    SECOND.get()
}

/// Milliseconds since 1970.
pub fn wall_ms() -> u64 {
    calls::wall_ns() / 1_000_000
}
