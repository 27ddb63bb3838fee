//! Feedback whose body is not complete, as one stream.

use crate::policy::feedback_wait::FeedbackWait;
use std::cell::Cell;

/// Feedback whose body is not complete.
#[derive(Debug)]
pub struct FeedbackRequest {
    /// Envoy's number of its stream.
    pub context: u32,
    pub wait: FeedbackWait,
    has_begun: Cell<bool>,
}

// === impl FeedbackRequest ===

impl FeedbackRequest {
    pub const fn new(context: u32, wait: FeedbackWait) -> Self {
        Self {
            context,
            wait,
            has_begun: Cell::new(false),
        }
    }

    /// A part of the body has come.
    pub fn begin(&self) {
        self.has_begun.set(true);
    }

    pub fn has_begun(&self) -> bool {
        self.has_begun.get()
    }
}
