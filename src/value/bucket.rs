//! From a user's key to one of 100,000 buckets, and from the bucket to a color.

use crate::json::found::Found;
use crate::json::invalid::invalid;
use crate::value::color::Color;
use crate::value::percent::{Percent, Weights};
use std::fmt;
use xxhash_rust::xxh64::Xxh64;

/// One of 100,000 equal parts of all keys, so that a bucket is a thousandth of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket(u32);

/// What is hashed before the key. Keeps the hash's state behind the salt, which is the same for all keys.
#[derive(Clone)]
pub struct Salt {
    text: String,
    salted: Xxh64,
}

invalid! {
    /// Not a salt.
    InvalidSalt
}

// === impl Bucket ===

impl Bucket {
    /// How many there are.
    pub const COUNT: u32 = 100_000;

    /// The bucket of a number from 0 to 99,999.
    pub const fn new(number: u32) -> Option<Self> {
        if number < Self::COUNT {
            Some(Self(number))
        } else {
            None
        }
    }

    /// `floor(hash × 100000 / 2^64)`: the hash as a fraction of its range.
    pub fn from_hash(hash: u64) -> Self {
        let scaled = u128::from(hash).saturating_mul(u128::from(Self::COUNT)) >> 64;
        Self(u32::try_from(scaled).unwrap_or(0))
    }

    /// A bucket at random, for a request without a key.
    pub fn random(rng: &mut fastrand::Rng) -> Self {
        Self(rng.u32(..Self::COUNT))
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// The least weight of green with which green serves it.
    pub const fn least_green(self) -> Percent {
        Percent::from_millipercent(self.0.saturating_add(1))
    }

    /// Its number, 0 to 99,999.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Green serves the buckets below its weight, blue the rest: each color only ever grows from its own end.
    pub const fn color(self, weights: Weights) -> Color {
        if self.0 < weights.of(Color::Green).millipercent() {
            Color::Green
        } else {
            Color::Blue
        }
    }
}

// === impl Salt ===

impl Salt {
    const MAX_BYTES: usize = 255;

    /// A salt of this text.
    pub fn new(text: &str) -> Self {
        let mut salted = Xxh64::new(0);
        salted.update(text.as_bytes());
        salted.update(&[0]);
        let text = text.to_owned();
        Self { text, salted }
    }

    /// A salt that an operator gives.
    ///
    /// # Errors
    /// Where it is too long, or holds the byte that ends it in the hash.
    pub fn parse(text: &str) -> Result<Self, InvalidSalt> {
        if text.len() <= Self::MAX_BYTES && !text.contains('\0') {
            Ok(Self::new(text))
        } else {
            Err(InvalidSalt::new(
                Found::string(text),
                "at most 255 bytes without a zero byte",
            ))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The bucket of `XXH64(seed 0, salt ‖ 0x00 ‖ key)`
    /// ([specification](https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md)).
    pub fn bucket(&self, key: &[u8]) -> Bucket {
        let mut state = self.salted.clone();
        state.update(key);
        Bucket::from_hash(state.digest())
    }
}

impl PartialEq for Salt {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Salt({:?})", self.text)
    }
}
