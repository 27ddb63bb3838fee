//! The contract's rule for the split, written down apart from the filter's own code.

use xxhash_rust::xxh64::xxh64;

/// The bucket of a key, of 100,000.
pub fn bucket(salt: &str, key: impl AsRef<[u8]>) -> u32 {
    let hash = xxh64(&[salt.as_bytes(), b"\0", key.as_ref()].concat(), 0);
    ((u128::from(hash) * 100_000) >> 64) as u32
}

/// The color that serves a key.
pub fn color(salt: &str, key: impl AsRef<[u8]>, green_millipercent: u32) -> &'static str {
    if bucket(salt, key) < green_millipercent {
        "green"
    } else {
        "blue"
    }
}
