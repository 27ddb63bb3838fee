//! Requests that failed or were slow, one by one.

use crate::value::bucket::Bucket;
use crate::value::color::Color;

/// Where a request comes from: what it counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The color that serves it.
    pub color: Color,
    /// Whether that is the canary.
    pub is_canary: bool,
    /// The generation under which it was decided.
    pub generation: u64,
    /// Who sent it, where there was a key.
    pub user: Option<Bucket>,
    /// The second in which it began, by a clock that never steps; known where a guard asks for incidents.
    pub began_s: Option<u64>,
}

/// Requests that went wrong alike: of one color, of one user, begun in the same second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident {
    /// What went wrong.
    pub kind: IncidentKind,
    /// The second in which the requests began, by a clock that never steps.
    pub began_s: u64,
    /// The color that served them.
    pub color: Color,
    /// Who sent them, where there was a key.
    pub user: Option<Bucket>,
    /// How many they are.
    pub count: u32,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IncidentKind {
    /// The request failed.
    Failed,
    /// Its response was slow.
    Slow,
}

// === impl Incident ===

impl Incident {
    /// One request of this origin, where it is known when it began.
    pub fn of(kind: IncidentKind, origin: &Origin) -> Option<Self> {
        Some(Self {
            kind,
            began_s: origin.began_s?,
            color: origin.color,
            user: origin.user,
            count: 1,
        })
    }

    /// Whether these requests are like others, but for their number.
    pub fn is_like(&self, other: &Self) -> bool {
        let Self { count, .. } = *self;
        *self == Self { count, ..*other }
    }
}
