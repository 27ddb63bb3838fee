//! What the requests and predictions of one rollout have come to.

use crate::analysis::quality::Outcomes;
use crate::analysis::score_sum::ScoreSums;
use crate::analysis::shadow_counts::ShadowCounts;
use crate::analysis::window::Counts;
use crate::value::color::{Color, PerColor};

/// What the requests and predictions of one rollout have come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How the requests went.
    pub requests: PerColor<Counts>,
    /// How the predictions turned out.
    pub outcomes: PerColor<Outcomes>,
    /// What copies of the requests came to.
    pub shadow: ShadowCounts,
    /// The scores of the predictions.
    pub scores: PerColor<ScoreSums>,
}

/// Which parts of two totals are about the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Whether requests and copies are: they belong to one generation.
    pub generation: bool,
    /// Whether a color's outcomes and scores are: it runs one release.
    pub releases: PerColor<bool>,
}

/// Requests, failed, timed, slow; true and false positives, false and true negatives.
pub type ColorTotals = [u64; 8];

// === impl Totals ===

impl Totals {
    /// Totals without copies and scores.
    pub fn of_colors(colors: PerColor<ColorTotals>) -> Self {
        let requests = |color| {
            let [requests, failed, timed, slow, ..] = *colors.of(color);
            Counts {
                requests,
                failed,
                timed,
                slow,
            }
        };
        let outcomes = |color| {
            let [.., tp, fp, fn_, tn] = *colors.of(color);
            Outcomes { tp, fp, fn_, tn }
        };
        Self {
            requests: PerColor::from_fn(requests),
            outcomes: PerColor::from_fn(outcomes),
            ..Self::default()
        }
    }

    /// What requests and predictions of one color came to.
    pub fn of_color(&self, color: Color) -> ColorTotals {
        let Counts {
            requests,
            failed,
            timed,
            slow,
        } = *self.requests.of(color);
        let Outcomes { tp, fp, fn_, tn } = *self.outcomes.of(color);
        [requests, failed, timed, slow, tp, fp, fn_, tn]
    }

    /// Adds what is about the same.
    pub fn add(&mut self, other: &Self, overlap: Overlap) {
        if overlap.generation {
            self.shadow.add(&other.shadow);
        }
        for color in Color::ALL {
            if overlap.generation {
                self.requests.of_mut(color).add(other.requests.of(color));
            }
            if *overlap.releases.of(color) {
                self.outcomes.of_mut(color).add(other.outcomes.of(color));
                self.scores.of_mut(color).add(other.scores.of(color));
            }
        }
    }

    /// What has come since `base` was counted, as far as that is about the same.
    pub fn since(&self, base: &Self, overlap: Overlap) -> Self {
        let mut rest = self.clone();
        if overlap.generation {
            rest.shadow = self.shadow.since(&base.shadow);
        }
        for color in Color::ALL {
            if overlap.generation {
                *rest.requests.of_mut(color) =
                    self.requests.of(color).since(base.requests.of(color));
            }
            if *overlap.releases.of(color) {
                *rest.outcomes.of_mut(color) =
                    self.outcomes.of(color).since(base.outcomes.of(color));
                *rest.scores.of_mut(color) = self.scores.of(color).since(base.scores.of(color));
            }
        }
        rest
    }
}
