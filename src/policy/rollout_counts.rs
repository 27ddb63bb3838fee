//! What was counted of one rollout.

use crate::analysis::score_sum::ScoreSums;
use crate::analysis::shadow_counts::ShadowCounts;
use crate::policy::totals::{ColorTotals, Overlap, Totals};
use crate::value::color::{Color, PerColor};
use serde::{Deserialize, Serialize};
use std::ops::{Deref, DerefMut};

/// What is counted now belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch {
    /// Of requests: differs where clusters, releases or salt differ, and after each rollback.
    pub generation: u64,
    /// Of outcomes: how many releases each color has had.
    pub releases: PerColor<u32>,
}

/// The totals of one epoch of a rollout: requests of its generation, outcomes and scores of each color's release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RawCounts", into = "RawCounts")]
pub struct RolloutCounts {
    /// What they belong to.
    pub epoch: Epoch,
    /// What was counted; dereferencing gives it, too.
    pub totals: Totals,
}

/// Counts as they are written, by position: with names they would take five times the room.
#[derive(Serialize, Deserialize)]
struct RawCounts {
    /// The generation, and the releases of blue and green.
    epoch: (u64, u32, u32),
    blue: ColorTotals,
    green: ColorTotals,
    #[serde(default, skip_serializing_if = "ShadowCounts::is_empty")]
    shadow: ShadowCounts,
    /// By color, where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scores: Option<PerColor<ScoreSums>>,
}

// === impl Epoch ===

impl Epoch {
    fn overlap(&self, other: &Self) -> Overlap {
        Overlap {
            generation: self.generation == other.generation,
            releases: PerColor::from_fn(|color| {
                self.releases.of(color) == other.releases.of(color)
            }),
        }
    }
}

// === impl RolloutCounts ===

impl RolloutCounts {
    /// No counts yet.
    pub fn of(epoch: Epoch) -> Self {
        Self {
            epoch,
            ..Self::default()
        }
    }

    /// Counts for this epoch from now on. What was counted for another is dropped. Says whether there was any.
    pub fn begin(&mut self, epoch: Epoch) -> bool {
        let before = std::mem::replace(self, Self::of(epoch));
        self.add(&before);
        self.totals != before.totals
    }

    /// Adds what others counted for the same generation and the same releases.
    pub fn add(&mut self, other: &Self) {
        let overlap = self.epoch.overlap(&other.epoch);
        self.totals.add(&other.totals, overlap);
    }

    /// What has come since `base` was counted.
    pub fn since(&self, base: &Self) -> Self {
        let overlap = self.epoch.overlap(&base.epoch);
        Self {
            epoch: self.epoch,
            totals: self.totals.since(&base.totals, overlap),
        }
    }
}

impl Deref for RolloutCounts {
    type Target = Totals;

    fn deref(&self) -> &Totals {
        &self.totals
    }
}

impl DerefMut for RolloutCounts {
    fn deref_mut(&mut self) -> &mut Totals {
        &mut self.totals
    }
}

// === impl RawCounts ===

impl From<RolloutCounts> for RawCounts {
    fn from(RolloutCounts { epoch, totals }: RolloutCounts) -> Self {
        let has_scores = !totals.scores.blue.is_empty() || !totals.scores.green.is_empty();
        Self {
            epoch: (epoch.generation, epoch.releases.blue, epoch.releases.green),
            blue: totals.of_color(Color::Blue),
            green: totals.of_color(Color::Green),
            shadow: totals.shadow,
            scores: has_scores.then_some(totals.scores),
        }
    }
}

impl From<RawCounts> for RolloutCounts {
    fn from(raw: RawCounts) -> Self {
        let (generation, blue, green) = raw.epoch;
        let colors = PerColor {
            blue: raw.blue,
            green: raw.green,
        };
        Self {
            epoch: Epoch {
                generation,
                releases: PerColor { blue, green },
            },
            totals: Totals {
                shadow: raw.shadow,
                scores: raw.scores.unwrap_or_default(),
                ..Totals::of_colors(colors)
            },
        }
    }
}
