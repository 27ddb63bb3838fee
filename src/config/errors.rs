//! All that is wrong with a configuration.

use crate::json::path::Path;
use crate::json::problems::{Problem, Problems};
use std::fmt;

/// The problems of a configuration: the first 20, and then a line that says how many more there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<Problem>);

// === impl ConfigErrors ===

impl ConfigErrors {
    /// One problem with the whole.
    pub(crate) fn of(problem: impl fmt::Display) -> Self {
        Self(vec![Problem::new(&Path::ROOT, problem)])
    }

    /// All problems, each of which displays as one line.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }
}

impl From<Problems> for ConfigErrors {
    fn from(problems: Problems) -> Self {
        let count = problems.count();
        let mut kept = problems.into_kept();
        match count.saturating_sub(kept.len()) {
            0 => {}
            1 => kept.push(Problem::new(&Path::ROOT, "1 more problem")),
            more => kept.push(Problem::new(
                &Path::ROOT,
                format_args!("{more} more problems"),
            )),
        }
        Self(kept)
    }
}

impl<'a> IntoIterator for &'a ConfigErrors {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for ConfigErrors {
    /// One line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
