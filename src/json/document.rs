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
            .map_err(|error| InvalidDocument::utf8(json, error.valid_up_to()))?;
        if is_deeper_than(Self::MAX_DEPTH, text) {
            return Err(InvalidDocument::TooDeep);
        }
        serde_json::from_str(text)
            .map(Self)
            .map_err(|error| InvalidDocument::syntax(&error))
    }

    /// The outermost value.
    pub fn root(&self) -> Node<'j> {
        Node::root(self.0)
    }
}

/// Counts brackets outside of strings.
fn is_deeper_than(most: usize, text: &str) -> bool {
    let mut depth = 0_usize;
    let mut is_string = false;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_string = !is_string,
            b'\\' if is_string => {
                bytes.next();
            }
            b'[' | b'{' if !is_string => depth = depth.saturating_add(1),
            b']' | b'}' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

// === impl InvalidDocument ===

impl InvalidDocument {
    fn utf8(json: &[u8], valid: usize) -> Self {
        let before = json.get(..valid).unwrap_or_default();
        let mut lines = before.rsplit(|&byte| byte == b'\n');
        let last = lines.next().unwrap_or_default();
        Self::Syntax {
            column: last.len().saturating_add(1),
            line: lines.count().saturating_add(1),
            message: "invalid UTF-8".to_owned(),
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
                "arrays and objects nested too deep, must be at most {} levels",
                Document::MAX_DEPTH
            ),
        }
    }
}

impl std::error::Error for InvalidDocument {}
