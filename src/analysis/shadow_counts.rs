//! What copies of requests came to.

use serde::{Deserialize, Serialize};

/// What copies came to since a rollout's generation began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u64; 3]", into = "[u64; 3]")]
pub struct ShadowCounts {
    /// Copies that have ended.
    pub requests: u64,
    /// Requests whose two answers were compared.
    pub compared: u64,
    /// Those of them whose answers differ.
    pub differing: u64,
}

// === impl ShadowCounts ===

impl ShadowCounts {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Counts a copy that has ended.
    pub fn add_finished(&mut self) {
        self.requests = self.requests.saturating_add(1);
    }

    /// Counts a request whose two answers were compared.
    pub fn add_compared(&mut self, differs: bool) {
        self.compared = self.compared.saturating_add(1);
        self.differing = self.differing.saturating_add(differs.into());
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.compared = self.compared.saturating_add(other.compared);
        self.differing = self.differing.saturating_add(other.differing);
    }

    /// What has come since `begin` was counted.
    pub fn since(&self, begin: &Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(begin.requests),
            compared: self.compared.saturating_sub(begin.compared),
            differing: self.differing.saturating_sub(begin.differing),
        }
    }
}

impl From<ShadowCounts> for [u64; 3] {
    fn from(counts: ShadowCounts) -> Self {
        [counts.requests, counts.compared, counts.differing]
    }
}

impl From<[u64; 3]> for ShadowCounts {
    fn from([requests, compared, differing]: [u64; 3]) -> Self {
        Self {
            requests,
            compared,
            differing,
        }
    }
}
