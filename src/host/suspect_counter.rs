//! The counter by which Envoy's access log signals streams that did not end as a plain success.

use super::proxy_wasm::calls;
use super::proxy_wasm::metric::Counter;
use crate::analysis::signal::{ProbeReason, Signal};
use crate::analysis::stream_end::StreamEnd;
use crate::metrics;
use crate::policy::shared_store::HostStatus;
use log::{error, warn};
use std::cell::RefCell;

/// The signal as one worker sees it.
#[derive(Debug)]
pub struct SuspectCounter {
    suspects: Counter,
    missed: Counter,
    signal: RefCell<Signal>,
}

// === impl SuspectCounter ===

impl SuspectCounter {
    /// Whether this Envoy can signal streams. Complains where it can't.
    pub fn is_possible() -> bool {
        let version = calls::envoy_version();
        let is_possible = Signal::is_offered_by(version);
        if let (false, Some((major, minor))) = (is_possible, version) {
            warn!(
                "every stream is queried, as in the profile full: Envoy {major}.{minor} has no access log that signals \
                 streams; 1.39 and later have"
            );
        }
        is_possible
    }

    pub fn define() -> Result<Self, HostStatus> {
        let suspects = Counter::define(metrics::SUSPECT_STREAMS_TOTAL)?;
        Ok(Self {
            suspects,
            missed: Counter::define(metrics::SIGNAL_MISSED_TOTAL)?,
            signal: RefCell::new(Signal::new(suspects.value())),
        })
    }

    /// How the stream at hand ended, where it has to be queried.
    pub fn end_of_stream(&self, ask: impl FnOnce() -> StreamEnd) -> Option<StreamEnd> {
        let mut signal = self.signal.borrow_mut();
        let reason = signal.probe(self.suspects.value())?;
        let end = ask();
        let is_lost = match reason {
            ProbeReason::Probe if is_http3() => signal.lose(),
            _ => signal.learn(reason, &end),
        };
        if is_lost {
            self.missed.increment();
            log_missed(end);
        }
        Some(end)
    }

    /// Learns what other workers have found, and of a counter that was reset.
    pub fn learn(&self) {
        let mut signal = self.signal.borrow_mut();
        signal.resync(self.suspects.value());
        if self.missed.value() > 0 {
            signal.lose();
        }
    }
}

fn log_missed(StreamEnd { code, flags, .. }: StreamEnd) {
    let why = if is_http3() {
        "is over HTTP/3, where the signal comes too late"
    } else {
        "was not signaled; has every HTTP connection manager the access log of signal.yaml?"
    };
    error!(
        "from now on every stream is queried, as in the profile full: one that ended with code {code} and \
         flags {flags} {why}"
    );
}

fn is_http3() -> bool {
    calls::property(b"request\0protocol").as_deref() == Some(b"HTTP/3")
}
