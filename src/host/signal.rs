//! Envoy's signal that a stream may not have ended well: a counter that its access log raises.

use super::calls::Refused;
use super::metrics::Counter;
use crate::outcome::StreamEnd;
use crate::stats;
use log::error;
use std::cell::Cell;

/// Tells for each stream at its end whether Envoy has to be asked about it.
pub struct Signal {
    counter: Counter,
    seen: Cell<u64>,
    streams: Cell<u32>,
    is_trusted: Cell<bool>,
}

/// One stream of so many is looked at without a signal, the first one too: a guard that misses failures for
/// want of a signal would not be noticed otherwise.
const STREAMS_PER_PROBE: u32 = 256;

// === impl Signal ===

impl Signal {
    pub fn define() -> Result<Self, Refused> {
        let counter = Counter::define(stats::SUSPECT_STREAMS_TOTAL)?;
        Ok(Self {
            counter,
            seen: Cell::new(counter.value()),
            streams: Cell::default(),
            is_trusted: Cell::new(true),
        })
    }

    /// How the stream at hand ended, where that may be anything but plain.
    ///
    /// Envoy writes the access log of a stream just before it lets go of it, so the signal for the one at
    /// hand is always new. A new signal may be that of another worker's stream too: then Envoy is asked in
    /// vain. A signal that has failed once is not relied on any more.
    pub fn end_of_stream(&self, ask: impl FnOnce() -> StreamEnd) -> Option<StreamEnd> {
        let now = self.counter.value();
        let is_signalled = self.seen.replace(now) != now;
        let streams = self.streams.get();
        self.streams.set(streams.wrapping_add(1));
        let is_probed = streams.is_multiple_of(STREAMS_PER_PROBE) || !self.is_trusted.get();
        if !is_signalled && !is_probed {
            return None;
        }
        let end = ask();
        if !is_signalled && !end.is_plain() && self.is_trusted.replace(false) {
            error!(
                "a stream ended with code {} and flags {} and was not signalled, so Envoy is asked about each \
                 from now on: the profile needs the access log of the shipped bootstrap.yaml, which counts \
                 wasmcustom.{}",
                end.code,
                end.flags,
                stats::SUSPECT_STREAMS_TOTAL,
            );
        }
        Some(end)
    }
}
