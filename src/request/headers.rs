//! A request's headers as Envoy hands them over: one block of bytes, read without copying.

use std::fmt;

/// A view of all headers of a request.
///
/// The block is that of the proxy-wasm ABI 0.2.1 (`proxy_get_header_map_pairs`): a `u32` count, then
/// for each header the `u32` lengths of name and value, then each name and value with a zero byte
/// behind it; all integers little-endian. What does not fit that form reads as the end of the headers.
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    lengths: &'a [[u8; 8]],
    text: &'a [u8],
}

/// A header as it stands in the block: the length of its name, and name and value each with a zero byte
/// behind it.
type Entry<'a> = (usize, &'a [u8]);

// === impl Headers ===

impl<'a> Headers<'a> {
    /// Reads the block that Envoy handed over.
    pub fn new(block: &'a [u8]) -> Self {
        Self::split(block).unwrap_or(Self {
            lengths: &[],
            text: &[],
        })
    }

    fn split(block: &'a [u8]) -> Option<Self> {
        let (count, rest) = block.split_first_chunk()?;
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        let (lengths, text) = rest.split_at_checked(count.checked_mul(8)?)?;
        let (lengths, _) = lengths.as_chunks();
        Some(Self { lengths, text })
    }

    /// Names and values in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.entries().filter_map(name_and_value)
    }

    /// All values of a header, in the order in which they came. Of those whose name has another length no
    /// text is looked at.
    pub fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.entries()
            .filter(|&(name_length, _)| name_length == name.len())
            .filter_map(name_and_value)
            .filter_map(move |(this, value)| (this == name.as_bytes()).then_some(value))
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let mut text = self.text;
        self.lengths.iter().map_while(move |lengths| {
            let [name_length, value_length] = split_lengths(*lengths);
            let length = name_length.checked_add(value_length)?.checked_add(2)?;
            let (entry, rest) = text.split_at_checked(length)?;
            text = rest;
            Some((name_length, entry))
        })
    }

    /// The first value of a header.
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }
}

impl fmt::Debug for Headers<'_> {
    /// Counts the headers; their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Headers({})", self.lengths.len())
    }
}

fn name_and_value<'a>((name_length, entry): Entry<'a>) -> Option<(&'a [u8], &'a [u8])> {
    match entry.split_at_checked(name_length)? {
        (name, [_, value @ .., _]) => Some((name, value)),
        _ => None,
    }
}

fn split_lengths([n0, n1, n2, n3, v0, v1, v2, v3]: [u8; 8]) -> [usize; 2] {
    [[n0, n1, n2, n3], [v0, v1, v2, v3]]
        .map(|length| usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX))
}
