//! Texts out of pieces that a parser cares for.

use proptest::prelude::ProptestConfig;

/// A million cases. What fails is kept in `tests/proptest-regressions/`.
pub fn a_million() -> ProptestConfig {
    ProptestConfig::with_cases(1_000_000)
}

/// The text that a number stands for, with the pieces as its digits. To make one number is quicker than to
/// choose each piece, and a smaller number is a shorter text.
pub fn text(pieces: &[&str], mut number: u128) -> String {
    let base = pieces.len() as u128;
    let mut text = String::new();
    while number > 0 {
        text.push_str(pieces[(number % base) as usize]);
        number /= base;
    }
    text
}

/// The block in which Envoy hands headers over.
pub fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
    let mut block = length(headers.len()).to_vec();
    for (name, value) in headers {
        block.extend(length(name.len()));
        block.extend(length(value.len()));
    }
    for text in headers.iter().flat_map(|&(name, value)| [name, value]) {
        block.extend(text.as_bytes());
        block.push(0);
    }
    block
}
