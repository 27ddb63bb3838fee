//! Cookies: those that a client sends, and the one that carries a new user's id.

use crate::error::Problem;
use crate::headers::is_token;
use memchr::memmem;
use std::fmt::{self, Write as _};
use std::time::Duration;

/// A cookie that is set on the response where a request came without it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewCookie {
    name: String,
    /// All that stands behind the value, made once.
    attributes: String,
}

/// The random id of a user who came without one: 128 bits, written as 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewId(u128);

/// How a new cookie shall be, before it is known to be valid.
#[derive(Clone, Debug)]
pub struct CookieAttributes<'a> {
    /// How long a browser keeps it; for the session where absent.
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

/// All values of a cookie in one `cookie` header (RFC 6265, section 5.4). Quotes around a value do not
/// belong to it, as in Envoy's own cookie parser. What is malformed is passed over.
///
/// Looks for the name wherever it stands, then whether it is a cookie's: a long header has many other
/// cookies, but few that look like this one.
pub fn values<'a>(header: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
    memmem::find_iter(header, name).filter_map(move |place| {
        let (before, rest) = header.split_at_checked(place)?;
        let before = before.trim_ascii_end();
        let value = rest.get(name.len()..)?.trim_ascii_start();
        let value = value.strip_prefix(b"=")?;
        let value = value.split(|&byte| byte == b';').next()?;
        let begins = before.is_empty() || before.ends_with(b";");
        begins.then(|| unquoted(value.trim_ascii()))
    })
}

fn unquoted(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(value)
}

/// # Errors
/// Where it is not a cookie's name, which is a `token` (RFC 6265, section 4.1.1).
pub fn parse_name(name: &str) -> Result<String, Problem> {
    if is_token(name) {
        Ok(name.to_owned())
    } else {
        Err(Problem::CookieName(name.to_owned()))
    }
}

// === impl NewCookie ===

impl NewCookie {
    /// # Errors
    /// Where a browser would not take the cookie, or take another than was meant.
    pub fn new(name: String, wanted: &CookieAttributes<'_>) -> Result<Self, Problem> {
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
        if !prefix_is_kept(&name, wanted) {
            return Err(Problem::CookiePrefix(name));
        }
        let attributes = wanted.render()?;
        Ok(Self { name, attributes })
    }

    /// The cookie's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of the `set-cookie` header that gives the user this id.
    pub fn render(&self, id: NewId) -> String {
        format!("{}={id}{}", self.name, self.attributes)
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
    fn render(&self) -> Result<String, Problem> {
        let mut text = format!("; Path={}", self.path);
        if let Some(domain) = self.domain {
            let _ = write!(text, "; Domain={domain}");
        }
        if let Some(age) = self.max_age {
            let (seconds, nanos) = (age.as_secs(), age.subsec_nanos());
            if seconds == 0 || nanos != 0 {
                return Err(Problem::CookieMaxAge { seconds, nanos });
            }
            let _ = write!(text, "; Max-Age={seconds}");
        }
        let same_site = self.same_site.as_str();
        let secure = if self.secure { "; Secure" } else { "" };
        let _ = write!(text, "; SameSite={same_site}{secure}; HttpOnly");
        Ok(text)
    }
}
