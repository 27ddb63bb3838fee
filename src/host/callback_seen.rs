//! What reaches the filter only where Envoy is allowed to hand it over.

use std::cell::Cell;

/// Whether something has ever come, or has been missed.
#[derive(Debug, Default)]
pub struct CallbackSeen {
    has_come: Cell<bool>,
    is_missed: Cell<bool>,
}

// === impl CallbackSeen ===

impl CallbackSeen {
    pub fn come(&self) {
        self.has_come.set(true);
    }

    pub fn has_come(&self) -> bool {
        self.has_come.get()
    }

    /// Whether it has neither come nor been missed.
    pub fn is_due(&self) -> bool {
        !self.has_come.get() && !self.is_missed.get()
    }

    /// Whether it should have come and never has.
    pub fn is_missed(&self) -> bool {
        self.is_missed.get() && !self.has_come.get()
    }

    /// It should have come. Complains, once, where it never has.
    pub fn miss(&self, log: impl FnOnce()) {
        if !self.has_come.get() && !self.is_missed.replace(true) {
            log();
        }
    }
}
