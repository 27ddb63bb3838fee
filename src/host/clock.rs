//! Time from Envoy: by a clock that never steps for durations, and by the wall clock for schedules.

use super::proxy_wasm::calls;
use crate::policy::rollout_watch::Now;
use log::error;
use std::cell::Cell;

thread_local! {
    static IS_STEADY_REFUSED: Cell<bool> = const { Cell::new(false) };
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

/// The time by both clocks.
pub fn now() -> Now {
    Now {
        steady_ms: steady_ns() / 1_000_000,
        wall_ms: wall_ms(),
    }
}

/// Milliseconds since 1970.
pub fn wall_ms() -> u64 {
    calls::wall_ns() / 1_000_000
}
