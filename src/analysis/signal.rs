//! Whether Envoy's access log can be relied on to signal the streams that did not end as a plain success.

use crate::analysis::stream_end::StreamEnd;

/// The access log counts such streams, each just before Envoy lets go of it. A counter that differs from what
/// it was at the stream before therefore means this stream, one of another worker, or a reset: to query a
/// stream in vain changes nothing.
///
/// Until one such stream has been seen to be signaled, every stream is queried; after that one in 64. Two that
/// were not signaled, with none in between that was, end the reliance for good. One alone may come of a
/// `/reset_counters` that brought the counter back to where it was.
#[derive(Clone, Copy, Debug)]
pub struct Signal {
    seen: u64,
    streams: u32,
    misses: u32,
    /// So many streams are still queried because one before them was retried.
    retry_watch: u32,
    reliability: Reliability,
}

/// Why a stream is queried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeReason {
    /// It may have been signaled.
    Signaled,
    /// There was no signal, which is not relied on.
    Unproven,
    /// There was no signal, which is tested.
    Probe,
    /// A stream not long before was retried, which is not signaled.
    Retries,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reliability {
    Unproven,
    Proven,
    Lost,
}

// === impl Signal ===

impl Signal {
    /// One stream of so many is queried to test the signal.
    pub const STREAMS_PER_PROBE: u32 = 64;

    /// Retries are not signaled. Where one is found, so many streams after it are queried.
    pub const STREAMS_AFTER_RETRY: u32 = 1_024;

    /// So many streams that were not signaled end the reliance.
    pub const MAX_MISSES: u32 = 2;

    /// Whether an Envoy of this version, major and minor, has an access log that can signal streams. One whose
    /// version is unknown may have it.
    pub fn is_offered_by(version: Option<(u64, u64)>) -> bool {
        version.is_none_or(|version| version >= (1, 39))
    }

    /// A signal whose counter stands here.
    pub const fn new(count: u64) -> Self {
        Self {
            seen: count,
            streams: 0,
            misses: 0,
            retry_watch: 0,
            reliability: Reliability::Unproven,
        }
    }

    /// Whether to query the stream that ends, where the counter stands here now.
    pub fn probe(&mut self, count: u64) -> Option<ProbeReason> {
        let is_signaled = count != self.seen;
        self.seen = count;
        self.streams = self.streams.wrapping_add(1);
        if is_signaled {
            Some(ProbeReason::Signaled)
        } else if self.streams.is_multiple_of(Self::STREAMS_PER_PROBE) {
            Some(ProbeReason::Probe)
        } else if self.reliability != Reliability::Proven {
            Some(ProbeReason::Unproven)
        } else {
            self.retry_watch = self.retry_watch.checked_sub(1)?;
            Some(ProbeReason::Retries)
        }
    }

    /// Learns from the end of a stream that was queried. Says whether the reliance ends by it.
    pub fn learn(&mut self, reason: ProbeReason, end: &StreamEnd) -> bool {
        if end.is_retried() {
            self.retry_watch = Self::STREAMS_AFTER_RETRY;
        }
        if end.is_plain() {
            return false;
        }
        if reason == ProbeReason::Signaled {
            self.misses = 0;
            if self.reliability == Reliability::Unproven {
                self.reliability = Reliability::Proven;
            }
            return false;
        }
        self.misses = self.misses.saturating_add(1);
        self.misses >= Self::MAX_MISSES && self.lose()
    }

    /// Relies on it no more. Says whether it was still relied on, or might have been.
    pub fn lose(&mut self) -> bool {
        std::mem::replace(&mut self.reliability, Reliability::Lost) != Reliability::Lost
    }

    /// Takes over the counter between two streams where it has fallen: an operator may have reset it.
    pub fn resync(&mut self, count: u64) {
        self.seen = self.seen.min(count);
    }
}
