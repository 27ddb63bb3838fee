//! Envoy's metrics for the streams of one color, and the pieces that they do not show yet.

use super::proxy_wasm::metric::{Counter, Histogram};
use crate::metrics::{ColorStats, Traffic};
use crate::policy::shared_store::HostStatus;
use crate::value::color::PerColor;
use crate::value::name::RolloutName;
use std::cell::Cell;

/// How one color's responses come piece by piece.
#[derive(Debug)]
pub struct ChunkMetrics {
    pub first_chunk_ms: Histogram,
    pub stream_ms: Histogram,
    chunks: Counter,
    /// Counted and not shown. To show each piece at once would cost a call for each.
    new: Cell<u64>,
}

// === impl ChunkMetrics ===

impl ChunkMetrics {
    /// Defines the metrics of both colors.
    pub fn define(rollout: &RolloutName, traffic: Traffic) -> Result<PerColor<Self>, HostStatus> {
        PerColor::try_from_fn(|color| {
            let stats = ColorStats {
                rollout,
                color,
                traffic,
            };
            Ok(Self {
                first_chunk_ms: Histogram::define(&stats.first_chunk_ms())?,
                stream_ms: Histogram::define(&stats.stream_ms())?,
                chunks: Counter::define(&stats.chunks_total())?,
                new: Cell::new(0),
            })
        })
    }

    /// Counts a piece.
    pub fn count(&self) {
        self.new.set(self.new.get().saturating_add(1));
    }

    /// Shows what was counted.
    pub fn show(&self) {
        self.chunks.add(self.new.take());
    }
}
