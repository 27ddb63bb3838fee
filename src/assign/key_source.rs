//! Where a user's key comes from.

use crate::json::found::Found;
use crate::json::invalid::invalid;
use crate::request::client_request::Request;
use crate::request::cookie::CookieName;
use crate::request::query::query_values;
use crate::value::header_name::HeaderName;
use std::borrow::Cow;

/// One place where a key may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataPath(Vec<u8>);

invalid! {
    /// Not the name of a query parameter.
    InvalidQueryName
}

invalid! {
    /// Not the path of a value in the dynamic metadata.
    InvalidMetadataPath
}

// === impl KeySource ===

impl KeySource {
    /// # Errors
    /// Where no parameter can have this name.
    pub fn parse_query(name: &str) -> Result<String, InvalidQueryName> {
        let good = |byte: u8| byte.is_ascii_graphic() && !b"&=#?".contains(&byte);
        if !name.is_empty() && name.bytes().all(good) {
            Ok(name.to_owned())
        } else {
            Err(InvalidQueryName::new(
                Found::string(name),
                "the name of a parameter: visible ASCII characters without '&=#?'",
            ))
        }
    }

    /// The key that stands here. An empty value is none; of several the first that is not empty counts.
    pub fn key<'a>(&self, request: &Request<'a>) -> Option<Cow<'a, [u8]>> {
        let found = |value: &&[u8]| !value.is_empty();
        match self {
            Self::Header(name) => request.headers.all(name.as_str()).find(found),
            Self::Cookie(name) => name.value(&request.headers),
            Self::Query(name) => query_values(request.headers.path(), name).find(found),
            Self::Metadata(path) => return request.read(&path.0),
            Self::SourceIp => return request.source_ip(),
        }
        .map(Cow::Borrowed)
    }
}

// === impl MetadataPath ===

impl MetadataPath {
    /// The filter's namespace, then the keys to go down by.
    ///
    /// # Errors
    /// Where there is no key, or a segment is empty or holds a zero byte.
    pub fn new(segments: &[&str]) -> Result<Self, InvalidMetadataPath> {
        let good = |segment: &&str| !segment.is_empty() && !segment.contains('\0');
        if segments.len() < 2 || !segments.iter().all(good) {
            return Err(InvalidMetadataPath::new(
                Found::plain(&format!("{segments:?}")),
                "the namespace of a filter and one key or more, none of them empty",
            ));
        }
        let path = format!("metadata\0filter_metadata\0{}", segments.join("\0"));
        Ok(Self(path.into_bytes()))
    }

    /// The namespace, then the keys.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|&byte| byte == 0).skip(2)
    }
}
