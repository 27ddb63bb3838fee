//! Feedback whose body is not complete, as one stream.

use crate::policy::feedback_wait::FeedbackWait;
use std::cell::{Cell, RefCell};

/// Feedback whose body is not complete.
pub struct FeedbackRequest<Outcome> {
    /// Envoy's number of its stream.
    pub context: u32,
    pub wait: FeedbackWait,
    has_begun: Cell<bool>,
    settled: RefCell<Option<Outcome>>,
}

// === impl FeedbackRequest ===

impl<Outcome> FeedbackRequest<Outcome> {
    pub const fn new(context: u32, wait: FeedbackWait) -> Self {
        Self {
            context,
            wait,
            has_begun: Cell::new(false),
            settled: RefCell::new(None),
        }
    }

    /// A part of the body has come.
    pub fn begin(&self) {
        self.has_begun.set(true);
    }

    /// It was taken or refused, without a callback of its stream.
    pub fn settle(&self, outcome: Outcome) {
        self.settled.replace(Some(outcome));
    }

    /// What has become of it, where it was taken or refused so.
    pub fn take_settled(&self) -> Option<Outcome> {
        self.settled.take()
    }

    pub fn has_begun(&self) -> bool {
        self.has_begun.get()
    }
}
