//! `feedback`, `releases` and `quality`: how good a model's predictions are.

use super::progress::permission;
use super::{percent, read};
use crate::analysis::quality::Quality;
use crate::error::ConfigError;
use crate::node::Node;
use crate::policy::feedback::Feedback;
use crate::value::color::PerColor;
use crate::value::name::ReleaseLabel;

const MAX_SAMPLES: u64 = 1_000_000_000;

pub fn feedback(node: &Node<'_>) -> Result<Feedback, ConfigError> {
    let fields = node.object(&["path", "require"])?;
    Ok(Feedback {
        path: fields.required("path")?.parse(super::parse_path_prefix)?,
        require: permission(fields.required("require")?)?,
    })
}

pub fn releases(node: &Node<'_>) -> Result<PerColor<Option<ReleaseLabel>>, ConfigError> {
    let fields = node.object(&["blue", "green"])?;
    PerColor::try_from_fn(|color| {
        read(&fields, color.as_str(), |node| {
            node.parse(ReleaseLabel::parse)
        })
    })
}

pub fn quality(node: &Node<'_>) -> Result<Quality, ConfigError> {
    let fields = node.object(&[
        "min_samples",
        "max_f1_drop",
        "min_f1",
        "min_precision",
        "min_recall",
        "hold_at",
    ])?;
    let limit = |name| read(&fields, name, percent);
    Ok(Quality {
        min_samples: fields.required("min_samples")?.integer(1, MAX_SAMPLES)?,
        max_f1_drop: limit("max_f1_drop")?,
        min_f1: limit("min_f1")?,
        min_precision: limit("min_precision")?,
        min_recall: limit("min_recall")?,
        hold_at: limit("hold_at")?,
    })
}
