//! Cookies that a client sends.

use crate::json::found::Found;
use crate::json::invalid::invalid;
use crate::request::headers::Headers;
use crate::value::token::is_token;
use memchr::memmem::Finder;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The name of a cookie, made ready to be looked for.
#[derive(Clone)]
pub struct CookieName {
    text: String,
    finder: Box<Finder<'static>>,
}

invalid! {
    /// Not the name of a cookie.
    InvalidCookieName
}

// === impl CookieName ===

impl CookieName {
    /// # Errors
    /// Where it is not a `token` (RFC 6265, section 4.1.1).
    pub fn parse(name: &str) -> Result<Self, InvalidCookieName> {
        if !is_token(name) {
            return Err(InvalidCookieName::new(
                Found::string(name),
                "a cookie name: letters, digits and !#$%&'*+-.^_`|~",
            ));
        }
        Ok(Self {
            text: name.to_owned(),
            finder: Box::new(Finder::new(name).into_owned()),
        })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first value of the cookie that is not empty, in all `cookie` headers.
    pub fn value<'a>(&self, headers: &Headers<'a>) -> Option<&'a [u8]> {
        let mut values = headers.all("cookie").flat_map(|header| self.values(header));
        values.find(|value| !value.is_empty())
    }

    /// All values of the cookie in one header (RFC 6265, section 5.4). Quotes around a value do not
    /// belong to it, as in Envoy's own cookie parser. What is malformed is passed over.
    ///
    /// Looks for the name wherever it stands, then whether it is a cookie's: a long header has many
    /// other cookies, but few that look like this one.
    fn values<'a>(&self, header: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.finder.find_iter(header).filter_map(|place| {
            let (before, rest) = header.split_at_checked(place)?;
            let before = before.trim_ascii_end();
            let value = rest.get(self.text.len()..)?.trim_ascii_start();
            let value = value.strip_prefix(b"=")?;
            let value = value.split(|&byte| byte == b';').next()?;
            let begins = before.is_empty() || before.ends_with(b";");
            begins.then(|| unquoted(value.trim_ascii()))
        })
    }
}

fn unquoted(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(value)
}

impl PartialEq for CookieName {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for CookieName {}

impl Hash for CookieName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for CookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CookieName({:?})", self.text)
    }
}
