//! The attributes of a cookie that an operator writes as text.

use crate::json::found::Found;
use crate::json::invalid::invalid;

/// A path that a cookie may have: it begins with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookiePath(String);

/// A domain that a cookie may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieDomain(String);

invalid! {
    /// Not a path that a cookie may have.
    InvalidCookiePath
}

invalid! {
    /// Not a domain that a cookie may have.
    InvalidCookieDomain
}

// === impl CookiePath ===

impl CookiePath {
    /// # Errors
    /// Where a cookie may not have this path.
    pub fn parse(text: &str) -> Result<Self, InvalidCookiePath> {
        if text.starts_with('/') && is_attribute(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCookiePath::new(
                Found::string(text),
                "a path of visible ASCII characters without ';' that begins with '/'",
            ))
        }
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for CookiePath {
    /// `/`
    fn default() -> Self {
        Self("/".to_owned())
    }
}

// === impl CookieDomain ===

impl CookieDomain {
    /// # Errors
    /// Where a cookie may not have this domain.
    pub fn parse(text: &str) -> Result<Self, InvalidCookieDomain> {
        if !text.is_empty() && is_attribute(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCookieDomain::new(
                Found::string(text),
                "a domain of visible ASCII characters without ';'",
            ))
        }
    }

    /// The domain.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_attribute(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b';')
}
