//! What feedback says of the predictions of one color, once it is read.

use crate::analysis::quality::Outcomes;
use crate::analysis::score_sum::ScoreSum;
use crate::json::found::Found;
use crate::policy::rollout::Rollout;
use crate::value::color::{Color, PerColor};
use crate::value::name::{ReleaseLabel, RolloutName};
use xxhash_rust::xxh64::xxh64;

/// Outcomes and scores of the predictions that one color of a rollout made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The index of the rollout.
    pub rollout: usize,
    /// The color that made the predictions.
    pub color: Color,
    /// How they turned out.
    pub outcomes: Outcomes,
    /// Sums of scores, each with the index of the score.
    pub scores: Vec<(usize, ScoreSum)>,
    /// By which a retry is known.
    pub id: Option<FeedbackId>,
}

/// The hash of an id that a sender gives its feedback, and of its rollout: an id is the sender's within one rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedbackId(pub u64);

// === impl Report ===

impl Report {
    /// The most reports that are taken in one body.
    pub const MAX_ITEMS: usize = 1_000;
    /// The highest count of one kind in one report.
    pub const MAX_COUNT: u64 = 1_000_000_000;

    /// What a rollout must be for feedback.
    pub(crate) const MEASURED: &str = "the name of a rollout that has quality or releases";

    /// Outcomes alone.
    pub const fn new(rollout: usize, color: Color, outcomes: Outcomes) -> Self {
        Self {
            rollout,
            color,
            outcomes,
            scores: Vec::new(),
            id: None,
        }
    }

    /// One report for each rollout and color, so that a batch is counted as a whole.
    pub fn sums(reports: Vec<Self>) -> Vec<Self> {
        let mut places: Vec<PerColor<Option<usize>>> = Vec::new();
        let mut sums: Vec<Self> = Vec::new();
        for report in reports {
            if places.len() <= report.rollout {
                places.resize_with(report.rollout.saturating_add(1), PerColor::default);
            }
            let place = places
                .get_mut(report.rollout)
                .map(|it| it.of_mut(report.color));
            let known = place.and_then(|place| place.replace(place.unwrap_or(sums.len())));
            match known.and_then(|known| sums.get_mut(known)) {
                Some(sum) => sum.add(report),
                None => sums.push(report),
            }
        }
        sums
    }

    fn add(&mut self, other: Self) {
        self.outcomes.add(&other.outcomes);
        for (index, sum) in other.scores {
            match self.scores.iter_mut().find(|(it, _)| *it == index) {
                Some((_, known)) => known.add(&sum),
                None => self.scores.push((index, sum)),
            }
        }
    }

    /// What is wrong with a release that feedback names; nothing where it is the one in force.
    pub(crate) fn other_release(rollout: &Rollout, color: Color, release: &str) -> Option<String> {
        let in_force = rollout
            .releases
            .of(color)
            .as_ref()
            .map(ReleaseLabel::as_str);
        if in_force == Some(release) {
            return None;
        }
        let (release, color) = (Found::string(release), color.as_str());
        Some(match in_force {
            Some(label) => {
                let label = Found::string(label);
                format!("{release}, must be {label}, the release of {color} that is in force")
            }
            None => format!("{release}, must be absent: releases gives {color} no label"),
        })
    }
}

// === impl FeedbackId ===

impl FeedbackId {
    /// What an id must be.
    pub const MUST_BE: &str = "1 to 64 characters";

    /// None for an id that is none.
    pub fn new(rollout: &RolloutName, id: &str) -> Option<Self> {
        let is_right = (1..=64).contains(&id.chars().take(65).count());
        let rollout = xxh64(rollout.as_str().as_bytes(), 0);
        is_right.then(|| Self(xxh64(id.as_bytes(), rollout)))
    }
}
