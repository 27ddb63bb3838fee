//! The counters by which Envoy's access log signals streams, and workers that it failed.

use super::metric::Counter;
use super::proxy_wasm::calls::{self, HostStatus};
use crate::analysis::signal::{ProbeReason, Signal};
use crate::analysis::stream_end::StreamEnd;
use crate::metrics;
use log::error;
use std::cell::RefCell;

/// The signal as one worker sees it.
#[derive(Debug)]
pub struct Watch {
    suspects: Counter,
    missed: Counter,
    signal: RefCell<Signal>,
}

// === impl Watch ===

impl Watch {
    pub fn define() -> Result<Self, HostStatus> {
        let suspects = Counter::define(metrics::SUSPECT_STREAMS_TOTAL)?;
        Ok(Self {
            suspects,
            missed: Counter::define(metrics::SIGNAL_MISSED_TOTAL)?,
            signal: RefCell::new(Signal::new(suspects.value())),
        })
    }

    /// How the stream at hand ended, where it has to be looked at.
    pub fn end_of_stream(&self, ask: impl FnOnce() -> StreamEnd) -> Option<StreamEnd> {
        let mut signal = self.signal.borrow_mut();
        let look = signal.look(self.suspects.value())?;
        let end = ask();
        let is_lost = match look {
            ProbeReason::Probe if is_http3() => signal.lose(),
            _ => signal.learn(look, end),
        };
        if is_lost {
            self.missed.increment();
            complain(end);
        }
        Some(end)
    }

    /// Learns what other workers have found, and of a counter that was reset.
    pub fn learn(&self) {
        let mut signal = self.signal.borrow_mut();
        signal.notice(self.suspects.value());
        if self.missed.value() > 0 {
            signal.lose();
        }
    }
}

fn complain(StreamEnd { code, flags, .. }: StreamEnd) {
    let why = if is_http3() {
        "is over HTTP/3, where the signal comes too late"
    } else {
        "was not signalled; has every HTTP connection manager the access log of the shipped bootstrap.yaml?"
    };
    error!(
        "from now on Envoy is asked how each stream ended, as in the profile full: \
         one with code {code} and flags {flags} {why}"
    );
}

fn is_http3() -> bool {
    calls::property(b"request\0protocol").as_deref() == Some(b"HTTP/3")
}
