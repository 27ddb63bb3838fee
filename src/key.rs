//! Where a user's key comes from.

use crate::cookie::CookieName;
use crate::error::Problem;
use crate::headers::{HeaderName, Headers};
use std::borrow::Cow;
use std::fmt;

/// One place where a key may stand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// A request header.
    Header(HeaderName),
    /// A cookie.
    Cookie(CookieName),
    /// A parameter of the query, as it was sent: percent-encoding stays, as in Envoy's `hash_policy`.
    Query(String),
    /// A value that another filter left in the dynamic metadata, as Envoy hands it over.
    Metadata(MetadataPath),
    /// The client's address without the port, as Envoy trusts it (`use_remote_address`, XFF).
    SourceIp,
}

/// The property path of a value in the dynamic metadata.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MetadataPath(Vec<u8>);

/// What a request tells of itself.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Its headers.
    pub headers: Headers<'a>,
    /// Reads an Envoy property by its path, whose segments have zero bytes between them. A read is
    /// dear, so it is done where a source asks for it.
    pub property: &'a dyn Fn(&[u8]) -> Option<Vec<u8>>,
}

// === impl KeySource ===

impl KeySource {
    /// # Errors
    /// Where no parameter can have this name.
    pub fn parse_query(name: &str) -> Result<String, Problem> {
        let good = |byte: u8| byte.is_ascii_graphic() && !b"&=#?".contains(&byte);
        if !name.is_empty() && name.bytes().all(good) {
            Ok(name.to_owned())
        } else {
            Err(Problem::QueryName(name.to_owned()))
        }
    }

    /// The key that stands here. An empty value is none; of several the first that is not empty counts.
    pub fn key<'a>(&self, request: &Request<'a>) -> Option<Cow<'a, [u8]>> {
        let found = |value: &&[u8]| !value.is_empty();
        match self {
            Self::Header(name) => request.headers.all(name.as_str()).find(found),
            Self::Cookie(name) => name.value(&request.headers),
            Self::Query(name) => query_values(request.path(), name).find(found),
            Self::Metadata(path) => return request.read(&path.0),
            Self::SourceIp => return request.source_ip(),
        }
        .map(Cow::Borrowed)
    }
}

fn query_values<'a>(path: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
    let mut parts = path.splitn(2, |&byte| byte == b'?');
    let query = parts.nth(1).unwrap_or_default();
    query
        .split(|&byte| byte == b'&')
        .filter_map(move |pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

// === impl MetadataPath ===

impl MetadataPath {
    /// The filter's namespace, then the keys to go down by.
    ///
    /// # Errors
    /// Where there is no key, or a segment is empty or holds a zero byte.
    pub fn new(segments: &[&str]) -> Result<Self, Problem> {
        let good = |segment: &&str| !segment.is_empty() && !segment.contains('\0');
        if segments.len() < 2 || !segments.iter().all(good) {
            return Err(Problem::Metadata(format!("{segments:?}")));
        }
        let path = format!("metadata\0filter_metadata\0{}", segments.join("\0"));
        Ok(Self(path.into_bytes()))
    }
}

// === impl Request ===

impl<'a> Request<'a> {
    /// Path and query; empty where there is none, as with `CONNECT`.
    pub fn path(&self) -> &'a [u8] {
        self.headers.first(":path").unwrap_or_default()
    }

    fn read(&self, path: &[u8]) -> Option<Cow<'a, [u8]>> {
        (self.property)(path)
            .filter(|value| !value.is_empty())
            .map(Cow::Owned)
    }

    fn source_ip(&self) -> Option<Cow<'a, [u8]>> {
        let address = self.read(b"source\0address")?;
        let ip = without_port(&address);
        (!ip.is_empty()).then(|| Cow::Owned(ip.to_vec()))
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// `192.0.2.1:80` and `[2001:db8::1]:80` without port and brackets. The address of a Unix socket stays as it is.
fn without_port(address: &[u8]) -> &[u8] {
    let Some(colon) = address.iter().rposition(|&byte| byte == b':') else {
        return address;
    };
    let (host, port) = address.split_at(colon);
    if !port.iter().skip(1).all(u8::is_ascii_digit) {
        return address;
    }
    host.strip_prefix(b"[")
        .and_then(|host| host.strip_suffix(b"]"))
        .unwrap_or(host)
}
