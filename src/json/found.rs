//! A value as a message shows it.

use std::fmt;

/// A value as a message shows it: without control characters, and cut where it is long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found(String);

// === impl Found ===

impl Found {
    const MAX_CHARS: usize = 300;

    /// A string, in quotes.
    pub fn string(text: &str) -> Self {
        let (text, ellipsis) = cut(text);
        Self(format!("{text:?}{ellipsis}"))
    }

    /// The name of a field, without quotes.
    pub fn name(text: &str) -> Self {
        let (text, ellipsis) = cut(text);
        Self(format!("{}{ellipsis}", text.escape_debug()))
    }

    /// Any other text, without quotes.
    pub fn plain(text: &str) -> Self {
        let (text, ellipsis) = cut(text);
        let mut shown = String::with_capacity(text.len());
        for char in text.chars() {
            match char {
                '"' | '\'' | '\\' => shown.push(char),
                _ => shown.extend(char.escape_debug()),
            }
        }
        Self(shown + ellipsis)
    }

    /// A value that may hold a secret.
    pub fn hidden() -> Self {
        Self("a value that is not shown".to_owned())
    }
}

fn cut(text: &str) -> (&str, &'static str) {
    let end = text.char_indices().nth(Found::MAX_CHARS);
    match end.and_then(|(end, _)| text.get(..end)) {
        Some(start) => (start, "…"),
        None => (text, ""),
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
