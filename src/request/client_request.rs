//! What the filter reads of a request.

use crate::request::headers::Headers;
use std::borrow::Cow;
use std::fmt;

/// What the filter reads of a request.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Its headers.
    pub headers: Headers<'a>,
    /// Reads an Envoy property by its path, whose segments have zero bytes between them. A read is
    /// dear, so it is done where a source asks for it.
    pub property: &'a dyn Fn(&[u8]) -> Option<Vec<u8>>,
}

// === impl Request ===

impl<'a> Request<'a> {
    pub(crate) fn read(&self, path: &[u8]) -> Option<Cow<'a, [u8]>> {
        (self.property)(path)
            .filter(|value| !value.is_empty())
            .map(Cow::Owned)
    }

    pub(crate) fn source_ip(&self) -> Option<Cow<'a, [u8]>> {
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
