//! Names of headers.

use crate::json::found::Found;
use crate::json::invalid::invalid;
use crate::value::token::is_token;

/// A header's name: lower case, and no pseudo-header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderName(String);

invalid! {
    /// Not the name of a header, or of one that may not be written.
    InvalidHeaderName
}

const TOKEN: &str =
    "a header name of 1 to 255 letters, digits and !#$%&'*+-.^_`|~ (no pseudo-header)";
const NOT_RESERVED: &str = "a header that HTTP and Envoy do not use themselves";

// === impl HeaderName ===

impl HeaderName {
    /// Headers that HTTP itself or Envoy uses: to set one of them would break the request.
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
    pub fn parse(name: &str) -> Result<Self, InvalidHeaderName> {
        if name.len() <= 255 && is_token(name) {
            Ok(Self(name.to_ascii_lowercase()))
        } else {
            Err(InvalidHeaderName::new(Found::string(name), TOKEN))
        }
    }

    /// A header to write.
    ///
    /// # Errors
    /// As for [`HeaderName::parse`], and where HTTP itself or Envoy uses the header.
    pub fn parse_writable(name: &str) -> Result<Self, InvalidHeaderName> {
        let parsed = Self::parse(name)?;
        if Self::RESERVED.contains(&parsed.as_str()) {
            return Err(InvalidHeaderName::new(Found::string(name), NOT_RESERVED));
        }
        Ok(parsed)
    }

    /// By this names are sorted where many are looked for: most differ in their length.
    pub(crate) fn by_length(&self) -> (usize, &[u8]) {
        (self.0.len(), self.0.as_bytes())
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
