//! What was counted of one rollout.

use crate::analysis::quality::Outcomes;
use crate::analysis::score_sum::ScoreSums;
use crate::analysis::shadow_counts::ShadowCounts;
use crate::analysis::window::Counts;
use crate::value::color::{Color, PerColor};
use serde::{Deserialize, Serialize};

/// What is counted now belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch {
    /// Of requests: differs where clusters, releases or salt differ, and after each rollback.
    pub generation: u64,
    /// Of outcomes: how many releases each color has had.
    pub releases: PerColor<u32>,
}

/// Requests of one generation of a rollout, and outcomes and scores of each color's release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RawCounts", into = "RawCounts")]
pub struct RolloutCounts {
    /// What they belong to.
    pub epoch: Epoch,
    /// How the requests went.
    pub requests: PerColor<Counts>,
    /// How the predictions turned out.
    pub outcomes: PerColor<Outcomes>,
    /// What copies of the generation's requests came to.
    pub shadow: ShadowCounts,
    /// The scores of the predictions.
    pub scores: PerColor<ScoreSums>,
}

/// Counts as they are written, by position: with names they would take five times the room.
#[derive(Serialize, Deserialize)]
struct RawCounts {
    /// The generation, and the releases of blue and green.
    epoch: (u64, u32, u32),
    /// Requests, failed, timed, slow; true and false positives, false and true negatives.
    blue: [u64; 8],
    green: [u64; 8],
    #[serde(default, skip_serializing_if = "ShadowCounts::is_empty")]
    shadow: ShadowCounts,
    /// By color, where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scores: Option<PerColor<ScoreSums>>,
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
        (self.requests, self.outcomes, self.shadow)
            != (before.requests, before.outcomes, before.shadow)
            || self.scores != before.scores
    }

    /// Adds what others counted for the same generation and the same releases.
    pub fn add(&mut self, other: &Self) {
        if self.epoch.generation == other.epoch.generation {
            self.shadow.add(&other.shadow);
        }
        for color in Color::ALL {
            if self.epoch.generation == other.epoch.generation {
                self.requests.of_mut(color).add(other.requests.of(color));
            }
            if self.has_release_of(other, color) {
                self.outcomes.of_mut(color).add(other.outcomes.of(color));
                self.scores.of_mut(color).add(other.scores.of(color));
            }
        }
    }

    /// What has come since `base` was counted.
    pub fn since(&self, base: &Self) -> Self {
        let mut rest = self.clone();
        if self.epoch.generation == base.epoch.generation {
            rest.shadow = self.shadow.since(&base.shadow);
        }
        for color in Color::ALL {
            if self.epoch.generation == base.epoch.generation {
                *rest.requests.of_mut(color) =
                    self.requests.of(color).since(base.requests.of(color));
            }
            if self.has_release_of(base, color) {
                *rest.outcomes.of_mut(color) =
                    self.outcomes.of(color).since(base.outcomes.of(color));
                *rest.scores.of_mut(color) = self.scores.of(color).since(base.scores.of(color));
            }
        }
        rest
    }

    fn has_release_of(&self, other: &Self, color: Color) -> bool {
        self.epoch.releases.of(color) == other.epoch.releases.of(color)
    }
}

// === impl RawCounts ===

impl From<RolloutCounts> for RawCounts {
    fn from(counts: RolloutCounts) -> Self {
        let of = |color: Color| {
            let Counts {
                requests,
                failed,
                timed,
                slow,
            } = *counts.requests.of(color);
            let Outcomes { tp, fp, fn_, tn } = *counts.outcomes.of(color);
            [requests, failed, timed, slow, tp, fp, fn_, tn]
        };
        let Epoch {
            generation,
            releases,
        } = counts.epoch;
        let has_scores = !counts.scores.blue.is_empty() || !counts.scores.green.is_empty();
        Self {
            epoch: (generation, releases.blue, releases.green),
            blue: of(Color::Blue),
            green: of(Color::Green),
            shadow: counts.shadow,
            scores: has_scores.then_some(counts.scores),
        }
    }
}

impl From<RawCounts> for RolloutCounts {
    fn from(raw: RawCounts) -> Self {
        let (generation, blue, green) = raw.epoch;
        let read = |[requests, failed, timed, slow, tp, fp, fn_, tn]: [u64; 8]| {
            let counts = Counts {
                requests,
                failed,
                timed,
                slow,
            };
            (counts, Outcomes { tp, fp, fn_, tn })
        };
        let colors = [read(raw.blue), read(raw.green)];
        let [blue_counts, green_counts] = colors.map(|(counts, _)| counts);
        let [blue_outcomes, green_outcomes] = colors.map(|(_, outcomes)| outcomes);
        Self {
            epoch: Epoch {
                generation,
                releases: PerColor { blue, green },
            },
            requests: PerColor {
                blue: blue_counts,
                green: green_counts,
            },
            outcomes: PerColor {
                blue: blue_outcomes,
                green: green_outcomes,
            },
            shadow: raw.shadow,
            scores: raw.scores.unwrap_or_default(),
        }
    }
}
