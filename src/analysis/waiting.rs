//! Requests that wait for their response.

use crate::value::color::{Color, PerColor};
use slab::Slab;

/// The requests of one rollout that are complete and have no response yet.
#[derive(Debug, Default)]
pub struct WaitingRequests(Slab<Waiting>);

#[derive(Debug)]
struct Waiting {
    color: Color,
    generation: u64,
    since_ns: u64,
    is_slow: bool,
}

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub struct WaitingKey(usize);

// === impl WaitingRequests ===

impl WaitingRequests {
    /// A request is complete and begins to wait.
    pub fn begin(&mut self, color: Color, generation: u64, since_ns: u64) -> WaitingKey {
        WaitingKey(self.0.insert(Waiting {
            color,
            generation,
            since_ns,
            is_slow: false,
        }))
    }

    /// A request waits no longer. Gives how long it did, and whether it was found to be slow meanwhile.
    pub fn end(&mut self, key: &WaitingKey, now_ns: u64) -> Option<(u64, bool)> {
        let waiting = self.0.try_remove(key.0)?;
        Some((now_ns.saturating_sub(waiting.since_ns), waiting.is_slow))
    }

    /// Finds those of a generation that have been waiting since before a time, each once, and counts them.
    pub fn find_slow(&mut self, generation: u64, before_ns: u64) -> PerColor<u64> {
        let mut found = PerColor::default();
        for (_, waiting) in &mut self.0 {
            if waiting.since_ns < before_ns && !waiting.is_slow && waiting.generation == generation
            {
                waiting.is_slow = true;
                let count: &mut u64 = found.of_mut(waiting.color);
                *count = count.saturating_add(1);
            }
        }
        found
    }
}
