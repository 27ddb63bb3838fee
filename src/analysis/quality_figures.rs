//! The figures of one color's release, as the stats show them.

use crate::analysis::confidence_sequence::{ConfidenceLevel, ConfidenceSequence, Interval};
use crate::analysis::quality::{Outcomes, Quality};
use crate::analysis::score_mean::ScoreMean;
use crate::analysis::score_sum::ScoreSum;
use crate::value::decimal::Millionths;

/// A figure in parts per million, and the ends of its interval. All are 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QualityFigure {
    /// The figure itself.
    pub ppm: u32,
    /// The lower end.
    pub low_ppm: u32,
    /// The upper end.
    pub high_ppm: u32,
}

/// All figures of one color's release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QualityFigures {
    /// How many predictions they are made of.
    pub samples: u64,
    /// How many of those found are right.
    pub precision: QualityFigure,
    /// How many of those to find are found.
    pub recall: QualityFigure,
    /// The harmonic mean of the two.
    pub f1: QualityFigure,
}

/// The mean of a score and the ends of its interval, in millionths. All are 0 where there are no scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScoreFigures {
    /// How many scores it is made of.
    pub samples: u64,
    /// The mean itself.
    pub mean_micro: u64,
    /// The lower end.
    pub low_micro: u64,
    /// The upper end.
    pub high_micro: u64,
}

/// Where no gate says how many samples there are to be.
const USUAL_SAMPLES: u64 = 100;

// === impl QualityFigures ===

impl QualityFigures {
    /// The figures of a rollout's release. Where its gate has no confidence, the intervals have the default.
    pub fn new(outcomes: &Outcomes, quality: Option<&Quality>) -> Self {
        let sequence = sequence(quality);
        let precision = outcomes.precision().map(|it| it.interval(&sequence));
        let recall = outcomes.recall().map(|it| it.interval(&sequence));
        let f1 = outcomes.f1().map(|it| it.interval(&sequence));
        Self {
            samples: outcomes.samples(),
            precision: QualityFigure::new(outcomes.precision_ppm(), precision),
            recall: QualityFigure::new(outcomes.recall_ppm(), recall),
            f1: QualityFigure::new(outcomes.f1_ppm(), f1),
        }
    }
}

/// That by which a rollout is judged.
fn sequence(quality: Option<&Quality>) -> ConfidenceSequence {
    let level = quality.and_then(|quality| quality.confidence);
    let min_samples = quality.map_or(USUAL_SAMPLES, |quality| quality.min_samples);
    ConfidenceSequence::new(level.unwrap_or(ConfidenceLevel::DEFAULT), min_samples)
}

// === impl ScoreFigures ===

impl ScoreFigures {
    /// The figures of a score of a rollout's release. Where its gate has no confidence, the intervals have the default.
    pub fn new(scores: &ScoreSum, quality: &Quality) -> Self {
        let mean = ScoreMean::new(scores);
        let interval = mean.map(|mean| mean.interval(&sequence(Some(quality))));
        let micro = |end: Option<f64>| {
            let millionths = end.map_or(0, |end| Millionths::nearest(end).0);
            u64::try_from(millionths).unwrap_or_default()
        };
        Self {
            samples: scores.count(),
            mean_micro: scores.mean_micro().unwrap_or_default(),
            low_micro: micro(interval.map(|it| it.low)),
            high_micro: micro(interval.map(|it| it.high)),
        }
    }
}

// === impl QualityFigure ===

impl QualityFigure {
    /// The nearest part per million and the ends of an interval, where there are any.
    pub fn new(ppm: Option<u32>, interval: Option<Interval>) -> Self {
        let [low_ppm, high_ppm] = interval.map_or([0; 2], Interval::to_ppm);
        Self {
            ppm: ppm.unwrap_or_default(),
            low_ppm,
            high_ppm,
        }
    }
}
