//! The cookie that carries a new user's id.

use crate::assign::cookie_attribute::{CookieDomain, CookiePath};
use crate::json::found::Found;
use crate::json::invalid::invalid;
use crate::request::cookie::CookieName;
use std::fmt::{self, Write as _};
use std::time::Duration;

/// A cookie that is set on the response where a request came without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCookie {
    name: CookieName,
    attributes: CookieAttributes,
    /// What follows the value, made once.
    rendered: String,
}

/// The random id of a user who came without one: 128 bits, written as 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewId([u64; 2]);

/// The attributes of a new cookie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CookieAttributes {
    /// How long a browser keeps it, in whole seconds; for the session where absent.
    pub max_age: Option<Duration>,
    /// Below which path it is sent.
    pub path: CookiePath,
    /// To which domain and its subdomains it is sent; to the very host where absent.
    pub domain: Option<CookieDomain>,
    /// Whether it is sent with requests from other sites.
    pub same_site: SameSite,
    /// Whether it is sent over TLS alone.
    pub secure: bool,
}

/// The `SameSite` attribute ([RFC 6265bis](https://datatracker.ietf.org/doc/draft-ietf-httpbis-rfc6265bis/)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// From the same site alone.
    Strict,
    /// From other sites where the user follows a link.
    #[default]
    Lax,
    /// From all sites; browsers ask for `secure` with it.
    None,
}

/// Why browsers would not take a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidNewCookie {
    /// `SameSite=None` needs `Secure`.
    NotSecure,
    /// Its name begins with `__Secure-` or `__Host-`, and its attributes do not keep what that promises.
    Prefix,
}

invalid! {
    /// Not a `SameSite` attribute.
    InvalidSameSite
}

// === impl NewCookie ===

impl NewCookie {
    /// # Errors
    /// Where a browser would not take the cookie, or take another than was meant.
    pub fn new(name: CookieName, attributes: CookieAttributes) -> Result<Self, InvalidNewCookie> {
        if attributes.same_site == SameSite::None && !attributes.secure {
            return Err(InvalidNewCookie::NotSecure);
        }
        if !prefix_is_kept(name.as_str(), &attributes) {
            return Err(InvalidNewCookie::Prefix);
        }
        Ok(Self {
            name,
            rendered: attributes.render(),
            attributes,
        })
    }

    /// The cookie's name.
    pub fn name(&self) -> &CookieName {
        &self.name
    }

    /// The cookie's attributes.
    pub const fn attributes(&self) -> &CookieAttributes {
        &self.attributes
    }

    /// The value of the `set-cookie` header that gives the user this id.
    pub fn render(&self, id: NewId) -> String {
        format!("{}={id}{}", self.name.as_str(), self.rendered)
    }
}

/// Browsers drop a cookie whose name promises what its attributes do not keep.
fn prefix_is_kept(name: &str, wanted: &CookieAttributes) -> bool {
    let name = name.to_ascii_lowercase();
    let host_alone = wanted.path.as_str() == "/" && wanted.domain.is_none();
    if name.starts_with("__host-") {
        wanted.secure && host_alone
    } else {
        wanted.secure || !name.starts_with("__secure-")
    }
}

impl fmt::Display for InvalidNewCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSecure => "same_site none without secure, must be secure",
            Self::Prefix => {
                "a name with __Secure- or __Host-, must be secure, and with __Host- without domain \
                 and with path /"
            }
        })
    }
}

impl std::error::Error for InvalidNewCookie {}

// === impl NewId ===

impl NewId {
    /// Draws an id.
    pub fn random(rng: &mut fastrand::Rng) -> Self {
        Self([rng.u64(..), rng.u64(..)])
    }
}

impl fmt::Display for NewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [high, low] = self.0;
        write!(f, "{high:016x}{low:016x}")
    }
}

// === impl SameSite ===

impl SameSite {
    /// # Errors
    /// Where it is none of `strict`, `lax` and `none`.
    pub fn parse(text: &str) -> Result<Self, InvalidSameSite> {
        match text {
            "strict" => Ok(Self::Strict),
            "lax" => Ok(Self::Lax),
            "none" => Ok(Self::None),
            _ => Err(InvalidSameSite::new(
                Found::string(text),
                "strict, lax or none",
            )),
        }
    }

    /// As it is written in the header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

// === impl CookieAttributes ===

impl CookieAttributes {
    fn render(&self) -> String {
        let mut text = format!("; Path={}", self.path.as_str());
        if let Some(domain) = &self.domain {
            let _ = write!(text, "; Domain={}", domain.as_str());
        }
        if let Some(age) = self.max_age {
            let _ = write!(text, "; Max-Age={}", age.as_secs());
        }
        let same_site = self.same_site.as_str();
        let secure = if self.secure { "; Secure" } else { "" };
        let _ = write!(text, "; SameSite={same_site}{secure}; HttpOnly");
        text
    }
}
