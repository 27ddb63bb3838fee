//! A file with a configuration, as an operator names it.

use crate::failure::Failure;
use crate::json::tree::Tree;
use crate::source::document::Source;
use crate::source::place::Place;
use crate::source::plugin::SourceError;
use bluegreen::{Document, InvalidDocument, Policy, Problem};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A file that was read.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// As messages name it.
    pub name: String,
    /// Where it is; none for standard input.
    pub path: Option<PathBuf>,
    /// What is in it.
    pub source: Source,
}

/// One problem of a configuration, and where it is in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedProblem {
    /// Where it is in the file.
    pub place: Option<Place>,
    /// Where it is in the configuration, such as `rollouts[1].weights`.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

// === impl ConfigFile ===

impl ConfigFile {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn read_text(path: &Path) -> Result<String, Failure> {
        let bytes = if path == Path::new("-") {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            fs::read(path)
        };
        let name = name_of(path);
        let bytes = bytes.map_err(|error| Failure::usage(format!("{name}: {}", said(&error))))?;
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Failure::finding(format!("{name}: not UTF-8 from byte {at} on"))
        })
    }

    /// Reads a file, or standard input for `-`, and finds the configuration in it.
    ///
    /// # Errors
    /// Where it can't be read. What its text lacks is the inner error.
    pub fn read(path: &Path) -> Result<Result<Self, SourceError>, Failure> {
        let text = Self::read_text(path)?;
        Ok(Source::read(text).map(|source| Self {
            name: name_of(path),
            path: (path != Path::new("-")).then(|| path.to_owned()),
            source,
        }))
    }

    /// As [`ConfigFile::read`], where the file must have a configuration.
    ///
    /// # Errors
    /// Where it can't be read, or has no configuration, or several.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        Self::read(path)?.map_err(|error| Failure::source(&name_of(path), &error))
    }

    /// The policy of a file, which must be valid.
    ///
    /// # Errors
    /// Its problems, a line each.
    pub fn policy(&self) -> Result<Policy, Failure> {
        parse(&self.source).map_err(|problems| {
            let lines = problems.iter().map(|problem| problem.line(&self.name));
            Failure::finding(lines.collect::<Vec<_>>().join("\n"))
        })
    }
}

/// Reads the configuration as the filter does.
///
/// # Errors
/// All that is wrong with it, in the order of the file.
pub fn parse(source: &Source) -> Result<Policy, Vec<PlacedProblem>> {
    let json = source.json.as_bytes();
    Policy::parse_keeping(json, usize::MAX).map_err(|errors| {
        if let Err(error) = Document::parse(json) {
            return vec![PlacedProblem::of_document(&error, source)];
        }
        let tree = Tree::parse(&source.json);
        let placed = |problem| PlacedProblem::new(problem, tree.as_ref(), source);
        let mut problems: Vec<PlacedProblem> = errors.iter().map(placed).collect();
        problems.sort_by_key(|problem| problem.place);
        problems
    })
}

// === impl PlacedProblem ===

impl PlacedProblem {
    /// Of text that is no JSON.
    fn of_document(error: &InvalidDocument, source: &Source) -> Self {
        let (place, message) = match error {
            InvalidDocument::Syntax {
                line,
                column,
                message,
            } => (
                source.place_of(*line, *column),
                format!("invalid JSON: {message}"),
            ),
            InvalidDocument::TooDeep => (source.place(0), error.to_string()),
        };
        Self {
            place: Some(place),
            path: String::new(),
            message,
        }
    }

    fn new(problem: &Problem, tree: Option<&Tree>, source: &Source) -> Self {
        let is_duplicate = problem.message().starts_with("duplicate field");
        let offset = tree.map(|tree| tree.find(problem.path(), is_duplicate));
        Self {
            place: offset.map(|offset| source.place(offset)),
            path: problem.path().to_owned(),
            message: problem.message().to_owned(),
        }
    }

    /// The line `file:line:column: path: message`.
    pub fn line(&self, file: &str) -> String {
        let place = self.place.map(|place| format!(":{place}"));
        let colon = if self.path.is_empty() { "" } else { ": " };
        let (place, path) = (place.unwrap_or_default(), &self.path);
        format!("{file}{place}: {path}{colon}{}", self.message)
    }
}

/// A file as messages name it.
pub fn name_of(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

/// What the system says, without the number.
pub fn said(error: &io::Error) -> String {
    let text = error.to_string();
    let said = text.split(" (os error").next();
    said.unwrap_or_default().to_owned()
}
