//! Requests that wait for their response, or for the first byte of its body.

use slab::Slab;

/// Requests that are complete and have no response yet, each with what it is to be counted for.
#[derive(Debug)]
pub struct WaitingRequests<T>(Slab<Waiting<T>>);

#[derive(Debug)]
struct Waiting<T> {
    what: T,
    since_ns: u64,
    slow_after_ns: u64,
    is_slow: bool,
    /// Its response has begun, but for the body that it waits for.
    is_answered: bool,
}

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub struct WaitingKey(usize);

/// How long a request waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// How long that was.
    pub waited_ns: u64,
    /// Whether it was slow.
    pub is_slow: bool,
    /// Whether it was found to be slow while it waited.
    pub was_found: bool,
}

// === impl WaitingRequests ===

impl<T> Default for WaitingRequests<T> {
    fn default() -> Self {
        Self(Slab::new())
    }
}

impl<T> WaitingRequests<T> {
    /// A request is complete and begins to wait.
    pub fn begin(&mut self, what: T, since_ns: u64, slow_after_ns: u64) -> WaitingKey {
        WaitingKey(self.0.insert(Waiting {
            what,
            since_ns,
            slow_after_ns,
            is_slow: false,
            is_answered: false,
        }))
    }

    /// A request has a response, and waits on for the first byte of its body.
    pub fn answer(&mut self, key: &WaitingKey) {
        if let Some(waiting) = self.0.get_mut(key.0) {
            waiting.is_answered = true;
        }
    }

    /// A request waits no longer.
    pub fn end(&mut self, key: &WaitingKey, now_ns: u64) -> Option<Wait> {
        let waiting = self.0.try_remove(key.0)?;
        Some(Wait {
            waited_ns: now_ns.saturating_sub(waiting.since_ns),
            is_slow: waiting.is_slow || waiting.has_waited_too_long(now_ns),
            was_found: waiting.is_slow,
        })
    }

    /// Finds those that have become slow, each once. Where bodies may not reach the filter, those that wait for
    /// theirs can't be told from others.
    pub fn find_slow(&mut self, now_ns: u64, sees_bodies: bool) -> impl Iterator<Item = &T> {
        self.0.iter_mut().filter_map(move |(_, waiting)| {
            let is_seen = sees_bodies || !waiting.is_answered;
            let is_new = !waiting.is_slow && is_seen && waiting.has_waited_too_long(now_ns);
            waiting.is_slow |= is_new;
            is_new.then_some(&waiting.what)
        })
    }
}

// === impl Waiting ===

impl<T> Waiting<T> {
    fn has_waited_too_long(&self, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.since_ns) > self.slow_after_ns
    }
}
