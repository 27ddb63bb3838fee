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
    common: Common<'a>,
}

/// The first values of headers that every request is asked for, found in one pass.
#[derive(Clone, Copy, Default)]
struct Common<'a> {
    path: Option<&'a [u8]>,
    authority: Option<&'a [u8]>,
    content_type: Option<&'a [u8]>,
    shadow: Option<&'a [u8]>,
}

/// Where a header stands in the text.
#[derive(Clone, Copy)]
struct Place {
    name_length: usize,
    begin: u64,
    end: u64,
}

const PATH: &str = ":path";
const AUTHORITY: &str = ":authority";
const CONTENT_TYPE: &str = "content-type";

// === impl Headers ===

impl<'a> Headers<'a> {
    /// The header that marks a copy of a request.
    pub const SHADOW: &'static str = "x-bluegreen-shadow";

    /// Reads the block that Envoy handed over.
    pub fn new(block: &'a [u8]) -> Self {
        let mut headers = Self::split(block).unwrap_or_else(Self::none);
        headers.common = Common::of(&headers);
        headers
    }

    fn none() -> Self {
        Self {
            lengths: &[],
            text: &[],
            common: Common::default(),
        }
    }

    fn split(block: &'a [u8]) -> Option<Self> {
        let (count, rest) = block.split_first_chunk()?;
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        let (lengths, text) = rest.split_at_checked(count.checked_mul(8)?)?;
        let (lengths, _) = lengths.as_chunks();
        Some(Self {
            lengths,
            text,
            ..Self::none()
        })
    }

    /// Names and values in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let text = self.text;
        self.places().map_while(move |it| it.in_text(text))
    }

    /// All values of a header, in the order in which they came. Of those whose name has another length no
    /// text is looked at.
    pub fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let text = self.text;
        self.places()
            .filter(|it| it.name_length == name.len())
            .filter_map(move |it| it.in_text(text))
            .filter_map(move |(this, value)| (this == name.as_bytes()).then_some(value))
    }

    /// Where the headers stand, if the text is long enough. It takes 2^30 headers of 2^33 bytes for the sum to overflow.
    fn places(&self) -> impl Iterator<Item = Place> + use<'a> {
        let mut end = 0_u64;
        self.lengths.iter().map(move |lengths| {
            let [name_length, value_length] = split_lengths(*lengths);
            let begin = end;
            end = begin
                .wrapping_add(u64::from(name_length))
                .wrapping_add(u64::from(value_length))
                .wrapping_add(2);
            Place {
                name_length: usize::try_from(name_length).unwrap_or(usize::MAX),
                begin,
                end,
            }
        })
    }

    /// The first value of a header.
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Path and query; empty where there is none, as with `CONNECT`.
    pub fn path(&self) -> &'a [u8] {
        self.common.path.unwrap_or_default()
    }

    /// The host that the request is for.
    pub fn authority(&self) -> Option<&'a [u8]> {
        self.common.authority
    }

    /// What the body is.
    pub fn content_type(&self) -> Option<&'a [u8]> {
        self.common.content_type
    }

    /// The mark of a copy.
    pub fn shadow(&self) -> Option<&'a [u8]> {
        self.common.shadow
    }
}

impl fmt::Debug for Headers<'_> {
    /// Counts the headers; their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Headers({})", self.lengths.len())
    }
}

fn split_lengths([n0, n1, n2, n3, v0, v1, v2, v3]: [u8; 8]) -> [u32; 2] {
    [[n0, n1, n2, n3], [v0, v1, v2, v3]].map(u32::from_le_bytes)
}

// === impl Common ===

impl<'a> Common<'a> {
    fn of(headers: &Headers<'a>) -> Self {
        let mut common = Self::default();
        for it in headers.places() {
            let (name, found) = match it.name_length {
                it if it == PATH.len() => (PATH, &mut common.path),
                it if it == AUTHORITY.len() => (AUTHORITY, &mut common.authority),
                it if it == CONTENT_TYPE.len() => (CONTENT_TYPE, &mut common.content_type),
                it if it == Headers::SHADOW.len() => (Headers::SHADOW, &mut common.shadow),
                _ => continue,
            };
            if let Some((this, value)) = it.in_text(headers.text)
                && this == name.as_bytes()
            {
                found.get_or_insert(value);
            }
        }
        common
    }
}

// === impl Place ===

impl Place {
    /// Name and value, each of which has a zero byte behind it.
    fn in_text(self, text: &[u8]) -> Option<(&[u8], &[u8])> {
        let begin = usize::try_from(self.begin).ok()?;
        let end = usize::try_from(self.end).ok()?;
        match text.get(begin..end)?.split_at_checked(self.name_length)? {
            (name, [_, value @ .., _]) => Some((name, value)),
            _ => None,
        }
    }
}
