//! Whether Envoy's access log can be relied on to signal the streams that did not end plainly.

use crate::analysis::stream_end::StreamEnd;

/// The access log counts such streams, each just before Envoy lets go of it. A counter that has risen since
/// the stream before therefore means this stream, or one of another worker: to look at a stream in vain
/// changes nothing.
///
/// Trust is earned: until the first such stream has been seen to be signalled, all are looked at. It is
/// tested from then on, and lost for good.
#[derive(Clone, Copy, Debug)]
pub struct Signal {
    seen: u64,
    streams: u32,
    trust: Trust,
}

/// Why a stream is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeReason {
    /// It may have been signalled.
    Signalled,
    /// There was no signal, which is not relied on.
    Unproven,
    /// There was no signal, which is tested.
    Probe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    Unproven,
    Proven,
    Lost,
}

// === impl Signal ===

impl Signal {
    /// One stream of so many is looked at to test the signal.
    pub const STREAMS_PER_PROBE: u32 = 128;

    /// A signal whose counter stands here.
    pub const fn new(count: u64) -> Self {
        Self {
            seen: count,
            streams: 0,
            trust: Trust::Unproven,
        }
    }

    /// Whether to look at the stream that ends, where the counter stands here now.
    pub fn look(&mut self, count: u64) -> Option<ProbeReason> {
        let is_signalled = count != self.seen;
        self.seen = count;
        self.streams = self.streams.wrapping_add(1);
        if is_signalled {
            Some(ProbeReason::Signalled)
        } else if self.streams.is_multiple_of(Self::STREAMS_PER_PROBE) {
            Some(ProbeReason::Probe)
        } else {
            (self.trust != Trust::Proven).then_some(ProbeReason::Unproven)
        }
    }

    /// Learns from the end of a stream that was looked at. Says whether trust is lost by it.
    pub fn learn(&mut self, look: ProbeReason, end: StreamEnd) -> bool {
        if end.is_plain() {
            return false;
        }
        if look == ProbeReason::Signalled {
            if self.trust == Trust::Unproven {
                self.trust = Trust::Proven;
            }
            return false;
        }
        self.lose()
    }

    /// Relies on it no more. Says whether it was still relied on, or might have been.
    pub fn lose(&mut self) -> bool {
        std::mem::replace(&mut self.trust, Trust::Lost) != Trust::Lost
    }

    /// Where the counter stands between two streams: an operator may have reset it.
    pub fn notice(&mut self, count: u64) {
        self.seen = self.seen.min(count);
    }
}
