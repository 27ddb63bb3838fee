//! Names of HTTP methods.

use crate::json::found::Found;
use crate::json::invalid::invalid;

/// A method of HTTP whose requests can be sent twice, such as `GET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method(String);

invalid! {
    /// Not the name of a method, or of one that is no request.
    InvalidMethod
}

// === impl Method ===

impl Method {
    const MAX_LENGTH: usize = 32;

    /// The method of this name.
    ///
    /// # Errors
    /// Where it is not 1 to 32 upper-case letters and hyphens, or opens a tunnel.
    pub fn parse(name: &str) -> Result<Self, InvalidMethod> {
        let is_letter = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
        let fits = (1..=Self::MAX_LENGTH).contains(&name.len()) && name.bytes().all(is_letter);
        if fits && name != "CONNECT" {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidMethod::new(
                Found::string(name),
                "a method of 1 to 32 upper-case letters and hyphens, not CONNECT",
            ))
        }
    }

    /// `GET` and `HEAD`, which change nothing.
    pub fn safe() -> Vec<Self> {
        ["GET", "HEAD"].map(|name| Self(name.to_owned())).to_vec()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
