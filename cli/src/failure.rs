//! How a command ends.

use crate::source::plugin::SourceError;
use serde_json::Value;
use std::fmt;

/// The program's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All is well.
    Fine = 0,
    /// Something was found.
    Finding = 1,
    /// Wrong usage; for `status`, timed out.
    Usage = 2,
    /// An Envoy does not answer.
    Unreachable = 3,
}

/// What a command has to say.
#[derive(Clone, Debug)]
pub struct Report {
    /// For people.
    pub text: String,
    /// For programs.
    pub json: Value,
    /// How the program ends.
    pub exit: Exit,
}

/// Why a command could not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// Why.
    pub message: String,
}

// === impl Report ===

impl Report {
    /// All is well.
    pub fn fine(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
            exit: Exit::Fine,
        }
    }
}

// === impl Failure ===

impl Failure {
    /// Something was found that is in the way.
    pub fn finding(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Finding,
            message: message.into(),
        }
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.into(),
        }
    }

    /// An Envoy does not answer.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Unreachable,
            message: message.into(),
        }
    }

    /// A file without a configuration to read.
    pub fn source(file: &str, error: &SourceError) -> Self {
        let place = error.place.map(|place| format!(":{place}"));
        let place = place.unwrap_or_default();
        Self::finding(format!("{file}{place}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
