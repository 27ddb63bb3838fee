//! What all proxies have done.

use std::cell::RefCell;
use std::time::Duration;

/// Calls to etcd since this was taken last.
#[derive(Debug, Default)]
pub struct CallCounts {
    calls: RefCell<Calls>,
}

/// Calls to etcd.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// Exchanges that were answered with 200.
    pub latencies: Vec<Duration>,
    /// Exchanges that were not.
    pub failed: u64,
    /// Bytes of all bodies that were sent.
    pub sent: u64,
    /// Bytes of all bodies that were received.
    pub received: u64,
}

// === impl CallCounts ===

impl CallCounts {
    pub fn add(&self, status: u64, latency: Duration, sent: usize, received: usize) {
        let mut calls = self.calls.borrow_mut();
        match status {
            200 => calls.latencies.push(latency),
            _ => calls.failed += 1,
        }
        calls.sent += sent as u64;
        calls.received += received as u64;
    }

    pub fn take(&self) -> Calls {
        std::mem::take(&mut self.calls.borrow_mut())
    }
}

// === impl Calls ===

impl Calls {
    /// The latency which `percent` of the calls stay below, in milliseconds.
    pub fn latency_ms(&mut self, percent: f64) -> f64 {
        self.latencies.sort_unstable();
        let rank = (self.latencies.len() as f64 * percent / 100.0).ceil() as usize;
        let latency = self.latencies.get(rank.max(1) - 1);
        latency.map_or(0.0, |latency| latency.as_secs_f64() * 1_000.0)
    }
}
