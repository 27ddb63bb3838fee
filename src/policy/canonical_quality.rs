//! The canonical form of limits on quality, as all of [`canonical`](crate::policy::canonical).

use crate::analysis::confidence_sequence::ConfidenceLevel;
use crate::analysis::quality::Quality;
use crate::analysis::score::{Score, ScoreLimit, ScoreLimits};
use crate::policy::canonical::millipercent;
use serde::Serialize;

#[derive(Serialize)]
pub struct CanonicalQuality<'a> {
    min_samples: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_f1_drop: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_f1: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_precision: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_recall: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_at: Option<u32>,
    /// 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_precision_drop: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_recall_drop: Option<u32>,
    /// In their order, which only shows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scores: Vec<CanonicalScore<'a>>,
}

/// A score's name, whether a lower mean is better, and its limits by name.
#[derive(Serialize)]
struct CanonicalScore<'a>(&'a str, bool, Vec<(&'static str, u64)>);

impl<'a> CanonicalScore<'a> {
    fn new(score: &'a Score) -> Self {
        let limits = score.limits.given().map(|limit| {
            let allowed = match limit {
                ScoreLimit::Min(it)
                | ScoreLimit::Max(it)
                | ScoreLimit::MaxDrop(it)
                | ScoreLimit::MaxRise(it) => it.millionths(),
                ScoreLimit::MaxDropPercent(it) => it.millipercent().into(),
                ScoreLimit::MaxRisePercent(it) => it.millipercent().into(),
            };
            (limit.as_str(), allowed)
        });
        let is_lower = matches!(score.limits, ScoreLimits::Lower { .. });
        Self(score.name.as_str(), is_lower, limits.collect())
    }
}

impl<'a> CanonicalQuality<'a> {
    pub fn new(quality: &'a Quality) -> Self {
        Self {
            min_samples: quality.min_samples,
            max_f1_drop: millipercent(quality.max_f1_drop),
            min_f1: millipercent(quality.min_f1),
            min_precision: millipercent(quality.min_precision),
            min_recall: millipercent(quality.min_recall),
            hold_at: millipercent(quality.hold_at),
            confidence: match quality.confidence {
                Some(ConfidenceLevel::DEFAULT) => None,
                Some(level) => Some(level.percent().millipercent()),
                None => Some(0),
            },
            max_precision_drop: millipercent(quality.max_precision_drop),
            max_recall_drop: millipercent(quality.max_recall_drop),
            scores: quality.scores.iter().map(CanonicalScore::new).collect(),
        }
    }
}
