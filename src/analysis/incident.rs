//! A request that failed or was slow, as the sequential guard sees it.

use crate::value::bucket::Bucket;
use crate::value::color::Color;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentKind {
    /// The request failed.
    Failed,
    /// Its response was slow.
    Slow,
}
