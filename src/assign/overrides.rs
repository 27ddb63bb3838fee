//! The override, by which testers see a color before anyone else.

use crate::assign::permission::Permission;
use crate::request::cookie::CookieName;
use crate::request::headers::Headers;
use crate::value::color::Color;
use crate::value::header_name::HeaderName;

/// Where a request may ask for a color, and what it must bring to get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// A header whose value is the color.
    pub header: Option<HeaderName>,
    /// A cookie whose value is the color; asked where the header names none.
    pub cookie: Option<CookieName>,
    /// What the request must bring.
    pub require: Permission,
}

/// What became of a request for a color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverrideResult {
    /// There was none.
    None,
    /// It is not allowed.
    Denied,
    /// It is granted.
    Granted(Color),
}

// === impl Override ===

impl Override {
    /// Looks for a color that is asked for, and whether that is allowed. A value that names no color is ignored.
    pub fn result(&self, headers: &Headers<'_>) -> OverrideResult {
        match self.color(headers) {
            None => OverrideResult::None,
            Some(color) if self.require.allows(headers) => OverrideResult::Granted(color),
            Some(_) => OverrideResult::Denied,
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
