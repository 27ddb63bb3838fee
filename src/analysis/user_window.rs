//! Requests that went wrong, of each user at most one of a kind in the guard's window.

use crate::analysis::incident::{Incident, IncidentKind};
use crate::analysis::window::Counts;
use crate::value::bucket::Bucket;
use crate::value::color::{Color, PerColor};
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// Counts users instead of requests that went wrong.
#[derive(Clone, Debug, Default)]
pub struct UserWindow {
    counted_ms: HashMap<(IncidentKind, Color, Bucket), u64, Xxh64Builder>,
    failed: PerColor<u64>,
    slow: PerColor<u64>,
}

// === impl UserWindow ===

impl UserWindow {
    /// Learns what went wrong. Requests without a key count each.
    pub fn observe(&mut self, window_ms: u64, now_ms: u64, incidents: &[Incident]) {
        let is_within = |&at_ms: &u64| now_ms.saturating_sub(at_ms) <= window_ms;
        self.counted_ms.retain(|_, at_ms| is_within(at_ms));
        for incident in incidents {
            let count = match incident.user {
                Some(user) => {
                    let key = (incident.kind, incident.color, user);
                    let is_new = !self.counted_ms.contains_key(&key);
                    if is_new {
                        self.counted_ms.insert(key, now_ms);
                    }
                    u64::from(is_new)
                }
                None => u64::from(incident.count),
            };
            let counted = match incident.kind {
                IncidentKind::Failed => self.failed.of_mut(incident.color),
                IncidentKind::Slow => self.slow.of_mut(incident.color),
            };
            *counted = counted.saturating_add(count);
        }
    }

    /// The same requests, with users in place of those that went wrong.
    pub fn per_user(&self, counts: &PerColor<Counts>) -> PerColor<Counts> {
        PerColor::from_fn(|color| Counts {
            failed: *self.failed.of(color),
            slow: *self.slow.of(color),
            ..*counts.of(color)
        })
    }
}
