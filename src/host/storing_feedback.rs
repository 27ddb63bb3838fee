//! Feedback that is counted, and waits until the fleet's store has it.

/// Feedback that is counted, and waits until the fleet's store has it.
#[derive(Clone, Copy, Debug)]
pub struct StoringFeedback {
    /// Envoy's number of its stream.
    pub context: u32,
    /// The heartbeat under which this VM publishes it.
    pub heartbeat: u64,
    pub since_ms: u64,
}

// === impl StoringFeedback ===

impl StoringFeedback {
    const PATIENCE_MS: u64 = 3_000;

    /// Whether it has waited for too long.
    pub const fn is_overdue(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.since_ms) >= Self::PATIENCE_MS
    }
}
