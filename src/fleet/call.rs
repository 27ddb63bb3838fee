//! A call that is under way, and the operations whose results it brings.

use crate::fleet::aggregate_document::AggregateDocument;
use crate::fleet::keys::VerdictKey;
use crate::policy::fleet_view::FleetVerdict;

/// A call that is under way.
#[derive(Debug)]
pub struct Call {
    /// Its number, once Envoy has taken it.
    pub token: Option<u32>,
    /// Since when.
    pub since_ms: u64,
    /// How long it may take.
    pub timeout_ms: u64,
    /// Nothing where it is a login.
    pub pending: Option<Vec<PendingOp>>,
    /// The last heartbeat of each VM whose counts it contains.
    pub heartbeats: Vec<(u32, u64)>,
}

/// An operation whose result is awaited.
#[derive(Debug)]
pub enum PendingOp {
    /// To write the document of this proxy.
    WriteLocal,
    /// To write the aggregate, and whether proxies retire with it.
    WriteAggregate(Box<AggregateDocument>, bool),
    /// To read the aggregate.
    ReadAggregate,
    /// To read verdicts, all of them or changes.
    Verdicts(bool),
    /// To read the documents of other proxies, all or changes.
    Proxies(bool),
    /// To write a verdict.
    Publish(VerdictKey, FleetVerdict),
    /// To delete one.
    End(VerdictKey),
}

// === impl Call ===

impl Call {
    /// A call may never come back. It is given up so long after it has timed out.
    const GRACE_MS: u64 = 1_000;

    /// Whether it can't come back any more.
    pub fn is_lost(&self, now_ms: u64) -> bool {
        let limit_ms = self.timeout_ms.saturating_add(Self::GRACE_MS);
        now_ms.saturating_sub(self.since_ms) > limit_ms
    }
}
