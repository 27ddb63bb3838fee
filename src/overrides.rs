//! The override, by which testers see a colour before anyone else.

use crate::color::Color;
use crate::cookie::CookieName;
use crate::headers::{HeaderName, Headers};
use crate::permission::Permission;

/// Where a request may ask for a colour, and what it must bring to get it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Override {
    /// A header whose value is the colour.
    pub header: Option<HeaderName>,
    /// A cookie whose value is the colour; asked where the header names none.
    pub cookie: Option<CookieName>,
    /// What the request must bring.
    pub require: Permission,
}

/// What became of a request's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// There was none.
    None,
    /// It is not allowed.
    Denied,
    /// It is granted.
    Granted(Color),
}

// === impl Override ===

impl Override {
    /// Looks for a wish and whether it is allowed. A value that names no colour is no wish.
    pub fn wish(&self, headers: &Headers<'_>) -> Wish {
        match self.color(headers) {
            None => Wish::None,
            Some(color) if self.require.allows(headers) => Wish::Granted(color),
            Some(_) => Wish::Denied,
        }
    }

    fn color(&self, headers: &Headers<'_>) -> Option<Color> {
        let header = self.header.as_ref();
        let cookie = self.cookie.as_ref();
        header
            .and_then(|name| Color::from_bytes(headers.first(name.as_str())?))
            .or_else(|| cookie.and_then(|name| Color::from_bytes(name.value(headers)?)))
    }
}
