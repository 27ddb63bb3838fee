//! What a move changes.

use crate::source::layer::Edit;
use bluegreen::Weights;

/// The edits of a move, and what they must come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Edits of the configuration's text; none where all is as it should be.
    pub edits: Vec<Edit>,
    /// What the operator should know.
    pub notes: Vec<String>,
    /// The weights that are in force afterwards.
    pub expected: Option<Weights>,
}

// === impl Plan ===

impl Plan {
    /// Nothing to do.
    pub fn nothing(why: impl Into<String>) -> Self {
        Self {
            notes: vec![why.into()],
            ..Self::default()
        }
    }

    /// Some edits, after which these weights are in force.
    pub const fn new(edits: Vec<Edit>, expected: Weights) -> Self {
        Self {
            edits,
            notes: Vec::new(),
            expected: Some(expected),
        }
    }

    /// With something that the operator should know.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}
