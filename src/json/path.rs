//! Where a value is in a document.

use crate::json::found::Found;
use std::fmt;

/// The way from the root of a document to a value, such as `rollouts[1].weights`. It borrows the way
/// to the value around it, so that a path costs nothing until it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    segment: Segment<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Segment<'p> {
    Root,
    Field(&'p str),
    Item(usize),
}

// === impl Path ===

impl<'p> Path<'p> {
    /// The whole document.
    pub const ROOT: Path<'static> = Path {
        parent: None,
        segment: Segment::Root,
    };

    /// A field of the value here.
    pub const fn field(&'p self, name: &'p str) -> Self {
        Self {
            parent: Some(self),
            segment: Segment::Field(name),
        }
    }

    /// An item of the array here.
    pub const fn item(&'p self, index: usize) -> Self {
        Self {
            parent: Some(self),
            segment: Segment::Item(index),
        }
    }
}

impl fmt::Display for Path<'_> {
    /// The empty text for the whole document.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.segment {
            Segment::Root => Ok(()),
            Segment::Item(index) => write!(f, "[{index}]"),
            Segment::Field(name) => {
                let is_first = matches!(self.parent, Some(Path { parent: None, .. }));
                let dot = if is_first { "" } else { "." };
                write!(f, "{dot}{}", Found::name(name))
            }
        }
    }
}
