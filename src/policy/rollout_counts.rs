//! What was counted of one rollout.

use crate::analysis::quality::Outcomes;
use crate::analysis::window::Counts;
use crate::value::color::{Color, PerColor};
use crate::value::name::ReleaseLabel;
use serde::{Deserialize, Serialize};

/// Requests of one generation of a rollout, and outcomes of each color's release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RolloutCounts {
    /// What the requests count for: see [`SharedState::generation`](crate::policy::shared_state::SharedState::generation).
    pub generation: u64,
    /// How the requests went.
    pub requests: PerColor<Counts>,
    outcomes: PerColor<ReleaseOutcomes>,
}

/// Outcomes of one release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct ReleaseOutcomes {
    /// Its label; empty where the configuration gives none.
    release: String,
    outcomes: Outcomes,
}

// === impl RolloutCounts ===

impl RolloutCounts {
    /// Counts for this generation and these releases from now on. What was counted for others is dropped.
    pub fn begin(&mut self, generation: u64, releases: &PerColor<Option<ReleaseLabel>>) {
        if self.generation != generation {
            self.generation = generation;
            self.requests = PerColor::default();
        }
        for color in Color::ALL {
            let label = releases.of(color).as_ref().map_or("", ReleaseLabel::as_str);
            let counted = self.outcomes.of_mut(color);
            if counted.release != label {
                *counted = ReleaseOutcomes {
                    release: label.to_owned(),
                    outcomes: Outcomes::default(),
                };
            }
        }
    }

    /// The outcomes of a color's release.
    pub fn outcomes(&self, color: Color) -> Outcomes {
        self.outcomes.of(color).outcomes
    }

    /// The outcomes of a color's release, to change.
    pub fn outcomes_mut(&mut self, color: Color) -> &mut Outcomes {
        &mut self.outcomes.of_mut(color).outcomes
    }

    /// Adds what others counted for the same generation and the same releases.
    pub fn add(&mut self, other: &Self) {
        for color in Color::ALL {
            if self.generation == other.generation {
                self.requests.of_mut(color).add(other.requests.of(color));
            }
            let theirs = other.outcomes.of(color);
            let ours = self.outcomes.of_mut(color);
            if ours.release == theirs.release {
                ours.outcomes.add(&theirs.outcomes);
            }
        }
    }

    /// Takes over from others: adds to what is the same, and drops what is not.
    pub fn follow(&mut self, other: &Self) {
        let before = std::mem::replace(self, other.clone());
        self.add(&before);
    }

    /// What has come since `base` was counted.
    pub fn since(&self, base: &Self) -> Self {
        let mut rest = self.clone();
        for color in Color::ALL {
            if self.generation == base.generation {
                let counts = self.requests.of(color).since(base.requests.of(color));
                *rest.requests.of_mut(color) = counts;
            }
            let (ours, theirs) = (self.outcomes.of(color), base.outcomes.of(color));
            if ours.release == theirs.release {
                rest.outcomes.of_mut(color).outcomes = ours.outcomes.since(&theirs.outcomes);
            }
        }
        rest
    }
}
