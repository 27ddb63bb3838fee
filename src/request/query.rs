//! Parameters of a query.

/// What follows the question mark of a path; empty where there is none.
pub(crate) fn query(path: &[u8]) -> &[u8] {
    let mut parts = path.splitn(2, |&byte| byte == b'?');
    parts.nth(1).unwrap_or_default()
}

pub(crate) fn query_values<'a>(path: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
    query(path)
        .split(|&byte| byte == b'&')
        .filter_map(move |pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// Names and values of a query that is written as a form (`application/x-www-form-urlencoded`), to be decoded.
pub(crate) fn form_pairs(query: &[u8]) -> impl Iterator<Item = (Encoded<'_>, Encoded<'_>)> {
    let pairs = query.split(|&byte| byte == b'&');
    pairs.filter(|pair| !pair.is_empty()).map(|pair| {
        let mut parts = pair.splitn(2, |&byte| byte == b'=');
        let mut part = || Encoded(parts.next().unwrap_or_default());
        (part(), part())
    })
}

/// A text of a form, which gives its bytes decoded as the
/// [URL standard](https://url.spec.whatwg.org/#concept-urlencoded-parser) says: without plus signs for spaces and
/// `%XX` for bytes. A percent sign without two hex digits stays.
#[derive(Clone, Copy)]
pub(crate) struct Encoded<'a>(&'a [u8]);

// === impl Encoded ===

impl Iterator for Encoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        let (byte, rest) = match first {
            b'+' => (b' ', rest),
            b'%' => escaped_byte(rest).unwrap_or((first, rest)),
            _ => (first, rest),
        };
        self.0 = rest;
        Some(byte)
    }
}

/// The byte that two hex digits stand for, and what follows them.
fn escaped_byte(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = text.split_first_chunk()?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?;
    Some((u8::try_from(byte).ok()?, rest))
}
