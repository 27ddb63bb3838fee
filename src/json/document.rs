//! A whole document, known to be JSON.

use crate::json::node::Node;
use serde_json::value::RawValue;
use std::fmt;

/// A JSON document.
#[derive(Debug)]
pub struct Document<'j>(&'j RawValue);

/// Why bytes are not a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidDocument {
    /// They are not JSON.
    Syntax {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// Arrays and objects nest too deep.
    TooDeep,
}

// === impl Document ===

impl<'j> Document<'j> {
    /// No configuration and no feedback nests deeper.
    const MAX_DEPTH: usize = 16;

    /// # Errors
    /// Where the bytes are not one JSON value, or nest too deep.
    pub fn parse(json: &'j [u8]) -> Result<Self, InvalidDocument> {
        let text = std::str::from_utf8(json)
            .map_err(|error| InvalidDocument::at(json, error.valid_up_to(), "invalid UTF-8"))?;
        scan(text)?;
        serde_json::from_str(text)
            .map(Self)
            .map_err(|error| InvalidDocument::syntax(&error))
    }

    /// The outermost value.
    pub fn root(&self) -> Node<'j> {
        Node::root(self.0)
    }
}

/// Finds what serde_json does not look at while it skips over values: brackets that nest too deep, and
/// halves of surrogate pairs.
fn scan(text: &str) -> Result<(), InvalidDocument> {
    let mut depth = 0_usize;
    let mut is_string = false;
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'"' => is_string = !is_string,
            b'\\' if is_string => {
                let place = text.len().saturating_sub(after.len()).saturating_sub(1);
                let lone = "half of a surrogate pair";
                rest = skip_escape(after)
                    .ok_or_else(|| InvalidDocument::at(text.as_bytes(), place, lone))?;
            }
            b'[' | b'{' if !is_string => depth = depth.saturating_add(1),
            b']' | b'}' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > Document::MAX_DEPTH {
            return Err(InvalidDocument::TooDeep);
        }
    }
    Ok(())
}

/// What follows an escape, of which the backslash is gone; none after half of a surrogate pair.
fn skip_escape(after: &[u8]) -> Option<&[u8]> {
    match code_unit(after) {
        Some((0xd800..0xdc00, rest)) => match code_unit(rest.strip_prefix(b"\\")?)? {
            (0xdc00..0xe000, rest) => Some(rest),
            _ => None,
        },
        Some((0xdc00..0xe000, _)) => None,
        Some((_, rest)) => Some(rest),
        None => Some(after.get(1..).unwrap_or_default()),
    }
}

/// The value of `u` and four hex digits, and what follows.
fn code_unit(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = bytes.strip_prefix(b"u")?.split_at_checked(4)?;
    let digits = std::str::from_utf8(digits).ok()?;
    Some((u16::from_str_radix(digits, 16).ok()?, rest))
}

// === impl InvalidDocument ===

impl InvalidDocument {
    fn at(json: &[u8], place: usize, message: &str) -> Self {
        let before = json.get(..place).unwrap_or_default();
        let mut lines = before.rsplit(|&byte| byte == b'\n');
        let last = lines.next().unwrap_or_default();
        Self::Syntax {
            column: last.len().saturating_add(1),
            line: lines.count().saturating_add(1),
            message: message.to_owned(),
        }
    }

    fn syntax(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let place = format!(" at line {line} column {column}");
        let message = message.strip_suffix(&place).unwrap_or(&message);
        Self::Syntax {
            line,
            column: column.max(1),
            message: message.replace(char::is_control, " "),
        }
    }
}

impl fmt::Display for InvalidDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax {
                line,
                column,
                message,
            } => {
                write!(f, "invalid JSON at line {line}, column {column}: {message}")
            }
            Self::TooDeep => write!(
                f,
                "nested deeper than {depth} levels, must be at most {depth}",
                depth = Document::MAX_DEPTH
            ),
        }
    }
}

impl std::error::Error for InvalidDocument {}
