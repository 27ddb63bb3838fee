//! A range of keys of which only changes are read.

use crate::fleet::etcd_response::RangeResponse;
use std::collections::HashSet;
use xxhash_rust::xxh64::{Xxh64Builder, xxh64};

/// How far a range has been read.
#[derive(Debug, Default)]
pub struct FollowedRange {
    /// Digests of all keys that are there, as far as is known.
    keys: HashSet<u64, Xxh64Builder>,
    /// Nothing where all has to be read.
    read_at: Option<u64>,
    /// Whether it was ever read.
    pub is_known: bool,
}

// === impl FollowedRange ===

impl FollowedRange {
    /// The revision from which on to read.
    pub fn next_revision(&self) -> u64 {
        self.read_at
            .map_or(0, |revision| revision.saturating_add(1))
    }

    /// All is read at the next time.
    pub fn read_again(&mut self) {
        self.read_at = None;
    }

    /// Takes what was read when the store was at a revision. `was_all` says that it was not changes alone. Where a
    /// key was deleted meanwhile, which changes do not show, all is read at the next time.
    pub fn take(&mut self, range: &RangeResponse<'_>, was_all: bool, revision: u64) {
        // A store that has lost what it had begins at a low revision.
        let is_older = self.read_at.is_some_and(|read_at| revision < read_at);
        if was_all {
            self.keys.clear();
        }
        self.is_known = true;
        for kv in &range.kvs {
            self.keys.insert(xxh64(kv.raw_key().as_bytes(), 0));
        }
        let known = u64::try_from(self.keys.len()).unwrap_or(0);
        self.read_at = (known == range.count && !is_older).then_some(revision);
    }
}
