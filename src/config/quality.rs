//! `releases` and `quality`: how good a model's predictions must be.

use crate::analysis::confidence_sequence::ConfidenceLevel;
use crate::analysis::quality::Quality;
use crate::config::kind::{Confidence, Minimum, Percentage, Release};
use crate::config::scores::ScoresConfig;
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use crate::value::color::PerColor;
use crate::value::name::ReleaseLabel;
use serde::Deserialize;

/// What each color's cluster runs at present. A new label starts the counts of that color afresh.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ReleasesConfig<'d> {
    /// The release of blue.
    #[serde(default)]
    blue: Field<'d, Release>,
    /// The release of green.
    #[serde(default)]
    green: Field<'d, Release>,
}

/// How good the canary's predictions must be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct QualityConfig<'d> {
    /// With fewer samples of either color there is no verdict.
    min_samples: Field<'d, Minimum>,
    /// How sure it must be that a limit is kept or broken, in percent; `none` holds the bare figures against the limits.
    /// 95 where absent.
    #[serde(default)]
    confidence: Field<'d, Confidence>,
    /// The most that its F1 may be below that of the stable color, in points.
    #[serde(default)]
    max_f1_drop: Field<'d, Percentage>,
    /// The most that its precision may be below that of the stable color, in points.
    #[serde(default)]
    max_precision_drop: Field<'d, Percentage>,
    /// The most that its recall may be below that of the stable color, in points.
    #[serde(default)]
    max_recall_drop: Field<'d, Percentage>,
    /// The lowest F1.
    #[serde(default)]
    min_f1: Field<'d, Percentage>,
    /// The lowest precision.
    #[serde(default)]
    min_precision: Field<'d, Percentage>,
    /// The lowest recall.
    #[serde(default)]
    min_recall: Field<'d, Percentage>,
    /// The weight at which a ramp waits for enough samples; that of its first step where absent.
    #[serde(default)]
    hold_at: Field<'d, Percentage>,
    /// What else is measured of each prediction, up to 8 scores by name.
    #[serde(default)]
    scores: Field<'d, ScoresConfig>,
}

// === impl ReleasesConfig ===

impl Read for ReleasesConfig<'_> {
    type Valid = PerColor<Option<ReleaseLabel>>;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self::Valid> {
        let raw: ReleasesConfig<'_> = read_object(node, problems)?;
        Some(PerColor {
            blue: raw.blue.optional(node, problems),
            green: raw.green.optional(node, problems),
        })
    }
}

// === impl QualityConfig ===

impl Read for QualityConfig<'_> {
    type Valid = Quality;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Quality> {
        let raw: QualityConfig<'_> = read_object(node, problems)?;
        let min_samples = raw.min_samples.required(node, problems);
        let confidence = raw.confidence.optional(node, problems);
        let scores = raw.scores.optional(node, problems).unwrap_or_default();
        let mut limit = |field: &Field<'_, Percentage>| field.optional(node, problems);
        let quality = Quality {
            confidence: confidence.unwrap_or(Some(ConfidenceLevel::DEFAULT)),
            max_f1_drop: limit(&raw.max_f1_drop),
            max_precision_drop: limit(&raw.max_precision_drop),
            max_recall_drop: limit(&raw.max_recall_drop),
            min_f1: limit(&raw.min_f1),
            min_precision: limit(&raw.min_precision),
            min_recall: limit(&raw.min_recall),
            hold_at: limit(&raw.hold_at),
            scores,
            min_samples: min_samples?,
        };
        if !quality.scores.is_empty() && quality.limit_names().is_empty() {
            let message = "no limit, must be one or more, of scores or of precision, recall and F1";
            node.problem(problems, message);
        }
        Some(quality)
    }
}
