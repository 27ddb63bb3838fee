//! Cookies that a client sends.

use crate::json::found::Found;
use crate::json::invalid::invalid;
use crate::request::headers::Headers;
use crate::value::token::is_token;
use memchr::memmem::Finder;
use std::fmt;

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
        let mut cookies = headers.all("cookie");
        cookies.find_map(|header| self.value_in(header))
    }

    /// The first value that is not empty in one header (RFC 6265, section 5.4). Quotes around a value do
    /// not belong to it, as in Envoy's own cookie parser. What is malformed is passed over.
    ///
    /// Goes from pair to pair that has the name somewhere in it: a long header has many other cookies, but
    /// few that look like this one. Only the first place in a pair can be that of its name, so no byte is
    /// looked at more than a few times, whatever the header.
    fn value_in<'a>(&self, mut header: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            let (before, rest) = header.split_at_checked(self.place_in(header)?)?;
            let mut parts = rest.splitn(2, |&byte| byte == b';');
            let pair = parts.next()?;
            if matches!(before.trim_ascii_end(), [] | [.., b';'])
                && let Some(value) = self.value_of(pair)
            {
                return Some(value);
            }
            header = parts.next()?;
        }
    }

    /// Where the name stands first. Looks at the beginning first: to set up a search costs more.
    fn place_in(&self, header: &[u8]) -> Option<usize> {
        let text = header.trim_ascii_start();
        if text.starts_with(self.text.as_bytes()) {
            header.len().checked_sub(text.len())
        } else {
            self.finder.find(header)
        }
    }

    /// The value of a pair that begins with the name, if it is this cookie's and not empty.
    fn value_of<'a>(&self, pair: &'a [u8]) -> Option<&'a [u8]> {
        let behind = pair.get(self.text.len()..)?.trim_ascii_start();
        let value = unquoted(behind.strip_prefix(b"=")?.trim_ascii());
        (!value.is_empty()).then_some(value)
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

impl fmt::Debug for CookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CookieName({:?})", self.text)
    }
}
