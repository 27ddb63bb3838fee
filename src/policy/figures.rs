//! What rollouts are judged by.

use crate::policy::rollout::RolloutStatus;
use crate::policy::totals::Totals;

/// What is known of a rollout at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What has become of it.
    pub status: RolloutStatus,
    /// Its requests since its generation began, and the outcomes and scores of each color's release.
    pub totals: Totals,
}

/// The time by two clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds by a clock that never steps.
    pub steady_ms: u64,
    /// Milliseconds since 1970, by a clock that may be set.
    pub wall_ms: u64,
}
