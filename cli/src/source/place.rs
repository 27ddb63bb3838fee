//! Where something is in a file.

use serde::Serialize;
use std::fmt;

/// A line and a column, both from 1. Columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// The beginnings of all lines of a text, by which offsets become places.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<usize>,
}

// === impl Lines ===

impl Lines {
    /// Those of a text.
    pub fn of(text: &str) -> Self {
        let after_breaks = line_starts(text);
        Self {
            starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    /// The place of a byte of the same text.
    pub fn place(&self, text: &str, offset: usize) -> Place {
        let line = self.starts.partition_point(|&start| start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let before = text.get(start..offset).unwrap_or_default();
        Place {
            line,
            column: before.chars().count() + 1,
        }
    }

    /// The byte of a line and of a column in bytes, both from 1.
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let start = self.starts.get(line.saturating_sub(1));
        let start = start.or(self.starts.last()).copied().unwrap_or_default();
        start + column.saturating_sub(1)
    }
}

fn line_starts(text: &str) -> impl Iterator<Item = usize> {
    text.bytes()
        .enumerate()
        .filter(|&(_, byte)| byte == b'\n')
        .map(|(index, _)| index + 1)
}

// === impl Place ===

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
