//! Going back to the version of a file before the last move.

use crate::failure::Failure;
use crate::file::config_file::{ConfigFile, name_of, parse};
use crate::file::replacement::{Replacement, undo_path};
use crate::show::unified_diff;
use crate::source::document::Source;
use bluegreen::Policy;
use std::path::{Path, PathBuf};

/// The version before, which is valid, and not in its place yet.
#[derive(Clone, Debug)]
pub struct Undoing {
    /// The file, as messages name it.
    pub name: String,
    path: PathBuf,
    /// The text as it is.
    pub now: String,
    /// The version before.
    pub before: Source,
    /// Its policy.
    pub policy: Policy,
}

// === impl Undoing ===

impl Undoing {
    /// Reads both versions.
    ///
    /// # Errors
    /// Where no version before is kept, or it is not valid.
    pub fn new(path: &Path) -> Result<Self, Failure> {
        let name = name_of(path);
        if path == Path::new("-") {
            return Err(Failure::usage(
                "undo needs a file: standard input has no version before",
            ));
        }
        let now = ConfigFile::read_text(path)?;
        let kept = undo_path(path);
        if !kept.exists() {
            let kept = kept.display();
            return Err(Failure::finding(format!(
                "{name}: no version before is kept in {kept}"
            )));
        }
        let before = ConfigFile::read_text(&kept)?;
        let kept = kept.display().to_string();
        let before = Source::read(before).map_err(|error| Failure::source(&kept, &error))?;
        let policy = parse(&before).map_err(|problems| {
            let lines = problems.iter().map(|problem| problem.line(&kept));
            let lines: Vec<String> = lines.collect();
            Failure::finding(format!(
                "nothing is written, for the filter would reject the version before:\n{}",
                lines.join("\n")
            ))
        })?;
        Ok(Self {
            name,
            path: path.to_owned(),
            now,
            before,
            policy,
        })
    }

    /// Whether the versions differ.
    pub fn is_changed(&self) -> bool {
        self.now != self.before.text
    }

    /// What changes in the file, as a unified diff.
    pub fn diff(&self) -> String {
        unified_diff(&self.name, &self.now, &self.before.text)
    }

    /// Replaces the file. The version that it replaces is kept in turn.
    ///
    /// # Errors
    /// Where it can't be written, or someone else has changed it meanwhile.
    pub fn write(&self) -> Result<(), Failure> {
        Replacement::prepare(&self.path, &self.now, &self.before.text)?.commit()
    }
}
