//! Answers that wait to be compared with the other color's answer to the same request, which may come on another VM.

use crate::analysis::answer_label::AnswerLabel;
use crate::policy::shared_keys::SharedKeys;
use crate::policy::shared_store::{HostStatus, NO_CHANGE, SharedStore};
use xxhash_rust::xxh64::xxh64;

/// A request that both colors answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u64);

/// One color's answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request.
    pub request: RequestId,
    /// Whether it is the canary's.
    pub is_canarys: bool,
    /// What stands for it.
    pub label: AnswerLabel,
}

/// How often to try again where another VM was faster.
const TRIES: usize = 4;

// === impl RequestId ===

impl RequestId {
    /// Envoy's own header.
    pub const HEADER: &'static str = "x-request-id";

    /// So many answers wait at most. One that comes to the place of another takes it.
    pub const PLACES: u64 = 4_096;

    /// By Envoy's id of a request and the generation that it was decided under.
    pub fn new(id: &[u8], generation: u64) -> Self {
        Self(xxh64(id, generation))
    }

    /// Where its first answer waits.
    pub const fn place(self) -> u64 {
        self.0 % Self::PLACES
    }
}

// === impl Answer ===

impl Answer {
    /// Compares this answer with the other color's, where that has come, and says whether they differ; else it waits.
    ///
    /// # Errors
    /// Where the host refuses a call.
    pub fn compare_or_store(
        &self,
        store: &impl SharedStore,
        keys: &SharedKeys,
    ) -> Result<Option<bool>, HostStatus> {
        let key = keys.answer_at(self.request.place());
        for _ in 0..TRIES {
            let (waiting, change) = match store.get(&key)? {
                Some((bytes, change)) => (Self::from_bytes(&bytes), change),
                None => (None, NO_CHANGE),
            };
            let other =
                waiting.filter(|it| it.request == self.request && it.is_canarys != self.is_canarys);
            let (left, found) = match other {
                Some(other) => (Vec::new(), Some(other.label != self.label)),
                None => (self.to_bytes(), None),
            };
            if store.set(&key, &left, change)? {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn to_bytes(self) -> Vec<u8> {
        let numbers = [self.request.0, self.label.number()];
        let mut bytes = vec![u8::from(self.is_canarys)];
        bytes.extend(numbers.into_iter().flat_map(u64::to_le_bytes));
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&is_canarys, rest) = bytes.split_first()?;
        let (request, rest) = rest.split_first_chunk()?;
        let (label, _) = rest.split_first_chunk()?;
        Some(Self {
            request: RequestId(u64::from_le_bytes(*request)),
            is_canarys: is_canarys == 1,
            label: AnswerLabel::from_number(u64::from_le_bytes(*label)),
        })
    }
}
