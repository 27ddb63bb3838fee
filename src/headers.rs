//! A request's headers as Envoy hands them over: one block of bytes, read without copying.

use crate::error::Problem;
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

/// A header's name: lower case, and no pseudo-header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderName(String);

/// Where a header stands in the text, if the text is that long.
struct Place {
    name_at: usize,
    name_length: usize,
    value_length: usize,
}

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
        let text = self.text;
        self.places().map_while(move |place| place.read(text))
    }

    /// All values of a header, in the order in which they came.
    pub fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let text = self.text;
        self.places()
            .filter(|place| place.name_length == name.len())
            .filter_map(move |place| place.read(text))
            .filter_map(move |(this, value)| (this == name.as_bytes()).then_some(value))
    }

    fn places(&self) -> impl Iterator<Item = Place> + use<'a> {
        let mut next_at: usize = 0;
        self.lengths.iter().map(move |lengths| {
            let [name_length, value_length] = split_lengths(*lengths);
            let place = Place {
                name_at: next_at,
                name_length,
                value_length,
            };
            next_at = next_at
                .wrapping_add(name_length)
                .wrapping_add(value_length)
                .wrapping_add(2);
            place
        })
    }

    /// The first value of a header.
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Whether the request is a gRPC call: `application/grpc`, with or without a format behind it.
    /// gRPC-Web is not: its status stands in the body.
    pub fn is_grpc(&self) -> bool {
        let rest = self
            .first("content-type")
            .and_then(|it| it.strip_prefix(b"application/grpc"));
        matches!(rest, Some([] | [b'+' | b';' | b' ', ..]))
    }
}

impl fmt::Debug for Headers<'_> {
    /// Counts the headers; their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Headers({})", self.lengths.len())
    }
}

// === impl Place ===

impl Place {
    /// Name and value, each of which has a zero byte behind it.
    fn read<'a>(&self, text: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let (name, rest) = text
            .get(self.name_at..)?
            .split_at_checked(self.name_length)?;
        let (value, rest) = rest.get(1..)?.split_at_checked(self.value_length)?;
        (!rest.is_empty()).then_some((name, value))
    }
}

fn split_lengths([n0, n1, n2, n3, v0, v1, v2, v3]: [u8; 8]) -> [usize; 2] {
    [[n0, n1, n2, n3], [v0, v1, v2, v3]]
        .map(|length| usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX))
}

// === impl HeaderName ===

impl HeaderName {
    /// Headers that HTTP itself or Envoy lives by: to set one of them would break the request.
    const RESERVED: [&'static str; 13] = [
        "content-type",
        "cookie",
        "host",
        "set-cookie",
        "x-envoy-internal",
        "connection",
        "content-length",
        "transfer-encoding",
        "upgrade",
        "te",
        "keep-alive",
        "proxy-connection",
        "trailer",
    ];

    /// `x-bluegreen-cluster`.
    pub fn default_route_header() -> Self {
        Self("x-bluegreen-cluster".to_owned())
    }

    /// A header to read.
    ///
    /// # Errors
    /// Where it is not a `token` of RFC 9110, section 5.6.2, of 1 to 255 characters.
    pub fn parse(name: &str) -> Result<Self, Problem> {
        if name.len() <= 255 && is_token(name) {
            Ok(Self(name.to_ascii_lowercase()))
        } else {
            Err(Problem::HeaderName(name.to_owned()))
        }
    }

    /// A header to write.
    ///
    /// # Errors
    /// As for [`HeaderName::parse`], and where HTTP itself lives by the header.
    pub fn parse_writable(name: &str) -> Result<Self, Problem> {
        let parsed = Self::parse(name)?;
        if Self::RESERVED.contains(&parsed.as_str()) {
            return Err(Problem::HeaderReserved(name.to_owned()));
        }
        Ok(parsed)
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the text is a `token` of RFC 9110, section 5.6.2: what names of headers and cookies are made of.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
