//! A request that waits until it is known what the fleet has decided.

use std::cell::{Cell, RefCell};

/// A request that waits until it is known what the fleet has decided.
pub struct HeldRequest<Outcome> {
    /// Envoy's number of its stream.
    pub context: u32,
    is_complete: Cell<bool>,
    settled: RefCell<Option<Outcome>>,
}

// === impl HeldRequest ===

impl<Outcome> HeldRequest<Outcome> {
    /// `is_complete` says that it has no body.
    pub const fn new(context: u32, is_complete: bool) -> Self {
        Self {
            context,
            is_complete: Cell::new(is_complete),
            settled: RefCell::new(None),
        }
    }

    /// A part of its body has come.
    pub fn receive_body(&self, is_last: bool) {
        self.is_complete.set(self.is_complete.get() || is_last);
    }

    /// Whether all of it has come.
    pub fn is_complete(&self) -> bool {
        self.is_complete.get()
    }

    /// It was decided.
    pub fn settle(&self, outcome: Outcome) {
        self.settled.replace(Some(outcome));
    }

    /// What it has become, where it was decided.
    pub fn take_settled(&self) -> Option<Outcome> {
        self.settled.take()
    }
}
