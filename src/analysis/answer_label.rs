//! The label by which a service says what its answer was, so that two answers can be compared.

use xxhash_rust::xxh64::xxh64;

/// What stands for an answer: the hash of its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerLabel(u64);

// === impl AnswerLabel ===

impl AnswerLabel {
    /// The response header in which a service sends it.
    pub const HEADER: &'static str = "x-bluegreen-label";

    const MAX_CHARACTERS: usize = 32;

    /// A label of 1 to 32 characters. Anything else is none.
    pub fn from_bytes(text: &[u8]) -> Option<Self> {
        let characters = std::str::from_utf8(text).ok()?.chars().count();
        let fits = (1..=Self::MAX_CHARACTERS).contains(&characters);
        fits.then(|| Self(xxh64(text, 0)))
    }

    /// A label that was written down.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number by which it is written down.
    pub const fn number(self) -> u64 {
        self.0
    }
}
