//! The cookie that carries a new user's id.

use crate::error::Problem;
use crate::request::cookie::CookieName;
use std::fmt::{self, Write as _};
use std::time::Duration;

/// A cookie that is set on the response where a request came without it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewCookie {
    name: CookieName,
    /// All that stands behind the value, made once.
    attributes: String,
}

/// The random id of a user who came without one: 128 bits, written as 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewId(u128);

/// How a new cookie shall be, before it is known to be valid.
#[derive(Clone, Debug)]
pub struct CookieAttributes<'a> {
    /// How long a browser keeps it, in whole seconds; for the session where absent.
    pub max_age: Option<Duration>,
    /// Below which path it is sent.
    pub path: &'a str,
    /// To which domain and its subdomains it is sent; to the very host where absent.
    pub domain: Option<&'a str>,
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

// === impl NewCookie ===

impl NewCookie {
    /// # Errors
    /// Where a browser would not take the cookie, or take another than was meant.
    pub fn new(name: CookieName, wanted: &CookieAttributes<'_>) -> Result<Self, Problem> {
        if !wanted.path.starts_with('/') || !is_attribute(wanted.path) {
            return Err(Problem::CookiePath(wanted.path.to_owned()));
        }
        if let Some(domain) = wanted.domain
            && (domain.is_empty() || !is_attribute(domain))
        {
            return Err(Problem::CookieDomain(domain.to_owned()));
        }
        if wanted.same_site == SameSite::None && !wanted.secure {
            return Err(Problem::CookieNotSecure);
        }
        if !prefix_is_kept(name.as_str(), wanted) {
            return Err(Problem::CookiePrefix(name.as_str().to_owned()));
        }
        let attributes = wanted.render();
        Ok(Self { name, attributes })
    }

    /// The cookie's name.
    pub fn name(&self) -> &CookieName {
        &self.name
    }

    /// The value of the `set-cookie` header that gives the user this id.
    pub fn render(&self, id: NewId) -> String {
        format!("{}={id}{}", self.name.as_str(), self.attributes)
    }
}

/// Browsers drop a cookie whose name promises what its attributes do not keep.
fn prefix_is_kept(name: &str, wanted: &CookieAttributes<'_>) -> bool {
    let name = name.to_ascii_lowercase();
    let host_alone = wanted.path == "/" && wanted.domain.is_none();
    if name.starts_with("__host-") {
        wanted.secure && host_alone
    } else {
        wanted.secure || !name.starts_with("__secure-")
    }
}

fn is_attribute(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b';')
}

// === impl NewId ===

impl NewId {
    /// Draws an id.
    pub fn random(rng: &mut fastrand::Rng) -> Self {
        Self(rng.u128(..))
    }
}

impl fmt::Display for NewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

// === impl SameSite ===

impl SameSite {
    /// # Errors
    /// Where it is none of `strict`, `lax` and `none`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "strict" => Ok(Self::Strict),
            "lax" => Ok(Self::Lax),
            "none" => Ok(Self::None),
            _ => Err(Problem::SameSite(text.to_owned())),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

// === impl CookieAttributes ===

impl CookieAttributes<'_> {
    fn render(&self) -> String {
        let mut text = format!("; Path={}", self.path);
        if let Some(domain) = self.domain {
            let _ = write!(text, "; Domain={domain}");
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
