//! Problems, and where they are.

use crate::json::path::Path;
use std::fmt;

/// One problem: a line such as `rollouts[1].weights: blue 90 + green 5 = 95, must be 100`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    path: String,
    message: String,
}

/// All problems of a document, of which the first are kept.
#[derive(Debug)]
pub struct Problems {
    first: Vec<Problem>,
    count: usize,
    max_kept: usize,
}

// === impl Problem ===

impl Problem {
    /// A problem at a place.
    pub fn new(path: &Path<'_>, message: impl fmt::Display) -> Self {
        Self {
            path: path.to_string(),
            message: message.to_string(),
        }
    }

    /// The place, such as `rollouts[1].weights`; empty for the whole document.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong there.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

// === impl Problems ===

impl Problems {
    /// How many problems are kept.
    pub const MAX_KEPT: usize = 20;

    /// No problems yet, of which the first `max_kept` will be kept.
    pub const fn keeping(max_kept: usize) -> Self {
        Self {
            first: Vec::new(),
            count: 0,
            max_kept,
        }
    }

    /// Adds a problem.
    pub fn push(&mut self, path: &Path<'_>, message: impl fmt::Display) {
        self.add(path, &message);
    }

    /// One instance for all kinds of messages, which keeps the Wasm small.
    fn add(&mut self, path: &Path<'_>, message: &dyn fmt::Display) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < self.max_kept {
            self.first.push(Problem::new(path, message));
        }
    }

    /// How many there are, kept or not.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The problems that are kept.
    pub fn into_kept(self) -> Vec<Problem> {
        self.first
    }
}

impl Default for Problems {
    fn default() -> Self {
        Self::keeping(Self::MAX_KEPT)
    }
}
