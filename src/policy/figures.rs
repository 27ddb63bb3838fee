//! What rollouts are judged by.

use crate::analysis::quality::Outcomes;
use crate::analysis::score_sum::ScoreSums;
use crate::analysis::shadow_counts::ShadowCounts;
use crate::analysis::window::Counts;
use crate::policy::rollout::RolloutStatus;
use crate::value::color::PerColor;

/// What is known of a rollout at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What has become of it.
    pub status: RolloutStatus,
    /// Its requests since its generation began.
    pub requests: PerColor<Counts>,
    /// The outcomes of each color's release.
    pub outcomes: PerColor<Outcomes>,
    /// What copies of its requests came to since then.
    pub shadow: ShadowCounts,
    /// The scores of each color's release.
    pub scores: PerColor<ScoreSums>,
}

/// The time by two clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds by a clock that never steps.
    pub steady_ms: u64,
    /// Milliseconds since 1970, by a clock that may be set.
    pub wall_ms: u64,
}
