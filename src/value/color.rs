//! The two colors, and values that exist once for each.

use crate::json::found::Found;
use crate::json::invalid::invalid;
use serde::{Deserialize, Serialize};

/// One of the two versions that share the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Color {
    /// The version that serves buckets from the upper end.
    Blue,
    /// The version that serves buckets from zero up to its weight.
    Green,
}

/// A pair of values, one for each color.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerColor<T> {
    /// What belongs to blue.
    pub blue: T,
    /// What belongs to green.
    pub green: T,
}

invalid! {
    /// Not the name of a color.
    InvalidColor
}

// === impl Color ===

impl Color {
    /// Both colors.
    pub const ALL: [Color; 2] = [Color::Blue, Color::Green];

    /// The name as it stands in configs, headers and stats.
    pub const fn as_str(self) -> &'static str {
        match self {
            Color::Blue => "blue",
            Color::Green => "green",
        }
    }

    /// # Errors
    /// Where the text is neither `blue` nor `green`.
    pub fn parse(text: &str) -> Result<Self, InvalidColor> {
        Self::from_bytes(text.as_bytes())
            .ok_or_else(|| InvalidColor::new(Found::string(text), "blue or green"))
    }

    /// The color whose name these bytes are, to the letter.
    pub fn from_bytes(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|color| color.as_str().as_bytes() == name)
    }

    /// The other color.
    pub const fn other(self) -> Self {
        match self {
            Color::Blue => Color::Green,
            Color::Green => Color::Blue,
        }
    }
}

// === impl PerColor ===

impl<T> PerColor<T> {
    /// Makes the value of each color.
    pub fn from_fn(mut make: impl FnMut(Color) -> T) -> Self {
        Self {
            blue: make(Color::Blue),
            green: make(Color::Green),
        }
    }

    /// Makes the value of each color, or stops at the first that can't be made.
    ///
    /// # Errors
    /// That of `make`.
    pub fn try_from_fn<E>(mut make: impl FnMut(Color) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self {
            blue: make(Color::Blue)?,
            green: make(Color::Green)?,
        })
    }

    /// The value of one color.
    pub const fn of(&self, color: Color) -> &T {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }

    /// The value of one color, to change.
    pub const fn of_mut(&mut self, color: Color) -> &mut T {
        match color {
            Color::Blue => &mut self.blue,
            Color::Green => &mut self.green,
        }
    }
}
