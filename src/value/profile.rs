//! How the filter learns how streams end, and how much of it the stats show.

use crate::json::found::Found;
use crate::json::invalid::invalid;

/// A choice between what is shown, what Envoy has to be set up for, and what a request costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// All stats. Envoy is queried for how each stream ended.
    #[default]
    Full,
    /// All stats. Envoy is queried only for the streams that its access log signals: see
    /// [`Signal`](crate::Signal).
    Signalled,
    /// The stats that the split and the guard need. Envoy is queried as in `Signalled`.
    Lean,
}

invalid! {
    /// Not the name of a profile.
    InvalidProfile
}

// === impl Profile ===

impl Profile {
    const ALL: [Self; 3] = [Self::Full, Self::Signalled, Self::Lean];

    /// # Errors
    /// Where the text is none of them.
    pub fn parse(text: &str) -> Result<Self, InvalidProfile> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| InvalidProfile::new(Found::string(text), "full, signalled or lean"))
    }

    /// The name as it stands in configs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Signalled => "signalled",
            Self::Lean => "lean",
        }
    }

    /// Whether Envoy's access log signals which streams to query.
    pub fn is_signalled(self) -> bool {
        self != Self::Full
    }

    /// Whether the stats show responses, durations and streams in flight.
    pub fn shows_streams(self) -> bool {
        self != Self::Lean
    }
}
