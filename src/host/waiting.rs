//! The requests of this VM that wait for their response.

use super::rollout_state::RolloutState;
use crate::analysis::incident::Origin;
use crate::analysis::waiting::{Wait, WaitingKey, WaitingRequests};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What a request that waits counts for.
#[derive(Debug)]
pub struct Waiter {
    pub state: Rc<RolloutState>,
    pub origin: Origin,
}

thread_local! {
    static WAITING: RefCell<WaitingRequests<Waiter>> = RefCell::default();
    /// Whether the body of a response has ever come.
    static SEES_BODIES: Cell<bool> = const { Cell::new(false) };
}

pub fn begin(waiter: Waiter, since_ns: u64, slow_after_ns: u64) -> WaitingKey {
    WAITING.with_borrow_mut(|waiting| waiting.begin(waiter, since_ns, slow_after_ns))
}

/// The response has begun, but not the body that the request waits for.
pub fn answer(key: &WaitingKey) {
    WAITING.with_borrow_mut(|waiting| waiting.answer(key));
}

/// The body of a response has come.
pub fn note_body() {
    SEES_BODIES.set(true);
}

pub fn end(key: &WaitingKey, now_ns: u64) -> Option<Wait> {
    WAITING.with_borrow_mut(|waiting| waiting.end(key, now_ns))
}

/// Counts the requests that have become slow while they wait.
pub fn count_slow(now_ns: u64) {
    WAITING.with_borrow_mut(|waiting| {
        for it in waiting.find_slow(now_ns, SEES_BODIES.get()) {
            it.state.count_slow(&it.origin);
        }
    });
}
