//! What came of a load.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// What came of one request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which request: 0 for the first.
    pub index: u64,
    /// `None` where the connection failed.
    pub status: Option<u16>,
    pub served_by: Option<String>,
    /// The body broke off.
    pub cut: bool,
    pub end: Instant,
    /// Until the end of the response; at a fixed rate, from when the request was due.
    pub latency: Duration,
}

/// What came of all requests, in the order in which they were begun.
#[derive(Clone, Debug)]
pub struct Report {
    pub outcomes: Vec<Outcome>,
}

// === impl Outcome ===

impl Outcome {
    /// When the request was due, or sent.
    pub fn due(&self) -> Instant {
        self.end.checked_sub(self.latency).unwrap_or(self.end)
    }

    /// A 5xx, a body that broke off, or a connection that failed.
    pub fn is_failed(&self) -> bool {
        self.cut || self.status.is_none_or(|status| status >= 500)
    }
}

// === impl Report ===

impl Report {
    pub fn sent(&self) -> u64 {
        self.outcomes.len() as u64
    }

    pub fn failed(&self) -> u64 {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.is_failed())
            .count() as u64
    }

    /// Requests by status; 0 where the connection failed.
    pub fn by_status(&self) -> BTreeMap<u16, u64> {
        count_by(
            self.outcomes
                .iter()
                .map(|outcome| outcome.status.unwrap_or(0)),
        )
    }

    /// Requests by the upstream that answered.
    pub fn by_served_by(&self) -> BTreeMap<String, u64> {
        count_by(
            self.outcomes
                .iter()
                .filter_map(|outcome| outcome.served_by.clone()),
        )
    }

    /// Requests one upstream answered.
    pub fn served_by(&self, upstream: &str) -> u64 {
        self.by_served_by().get(upstream).copied().unwrap_or(0)
    }

    /// The latency which `percent` of the requests stay below.
    pub fn latency(&self, percent: f64) -> Duration {
        let mut latencies: Vec<Duration> = self
            .outcomes
            .iter()
            .map(|outcome| outcome.latency)
            .collect();
        latencies.sort_unstable();
        let rank = (latencies.len() as f64 * percent / 100.0).ceil() as usize;
        latencies[rank.clamp(1, latencies.len()) - 1]
    }
}

fn count_by<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, u64> {
    keys.fold(BTreeMap::new(), |mut counts, key| {
        *counts.entry(key).or_default() += 1;
        counts
    })
}
