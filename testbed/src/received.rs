//! A request as an upstream received it.

use http::{HeaderMap, HeaderValue, Method, Request, Version, header};

/// A request's head. Header values are the bytes on the wire.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: Method,
    pub version: Version,
    /// The value of `:authority` or `host`.
    pub host: Option<Vec<u8>>,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
}

// === impl Received ===

impl Received {
    pub(crate) fn new<B>(request: &Request<B>) -> Self {
        let authority = request
            .uri()
            .authority()
            .map(|authority| authority.as_str().as_bytes());
        let host = request
            .headers()
            .get(header::HOST)
            .map(HeaderValue::as_bytes);
        Self {
            method: request.method().clone(),
            version: request.version(),
            host: authority.or(host).map(<[u8]>::to_vec),
            path: request
                .uri()
                .path_and_query()
                .map_or_else(String::new, ToString::to_string),
            headers: request.headers().clone(),
        }
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(HeaderValue::as_bytes)
    }

    /// All values of a header.
    pub fn header_all(&self, name: &str) -> Vec<&[u8]> {
        self.headers
            .get_all(name)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect()
    }
}
