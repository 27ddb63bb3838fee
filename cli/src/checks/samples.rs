//! Limits of quality for which the samples asked for are too few: the gate's own code tells.

use crate::finding::Finding;
use bluegreen::{
    Color, ConfidenceLevel, Outcomes, PerColor, Percent, Policy, Quality, QualityAnalysis,
};

/// The F1 of a fair model.
const USUAL_F1: f64 = 0.9;

/// More samples than any release has.
const MOST_SAMPLES: u64 = 1_000_000_000;

/// Limits that a canary as good as the stable color is not yet known to keep with `min_samples`.
pub fn check(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, rollout) in policy.rollouts.iter().enumerate() {
        let Some(quality) = &rollout.quality else {
            continue;
        };
        let limits = [
            ("max_f1_drop", quality.max_f1_drop),
            ("max_precision_drop", quality.max_precision_drop),
            ("max_recall_drop", quality.max_recall_drop),
            ("min_f1", quality.min_f1),
            ("min_precision", quality.min_precision),
            ("min_recall", quality.min_recall),
        ];
        for (field, limit) in limits {
            let Some(limit) = limit else {
                continue;
            };
            let figure = figure(field, limit);
            let alone = alone(quality, field);
            let wanted = samples_to_keep(&alone, figure);
            if wanted <= quality.min_samples {
                continue;
            }
            let samples = quality.min_samples;
            let figure = figure * 100.0;
            let then = if wanted < MOST_SAMPLES {
                format!("it takes some {wanted} of each color")
            } else {
                "no number of samples is enough".to_owned()
            };
            findings.push(Finding::warning(
                format!("rollouts[{index}].quality.{field}"),
                format!(
                    "{limit} % can't be judged with min_samples {samples}: where both colors are at {figure:.2} %, {then} to \
                     be sure that it is kept"
                ),
            ));
        }
    }
    findings
}

/// What both colors are taken to be at: a fair model's figure, or halfway from the limit to perfection.
fn figure(field: &str, limit: Percent) -> f64 {
    let limit = f64::from(limit.millipercent()) / 100_000.0;
    if field.ends_with("_drop") {
        USUAL_F1
    } else {
        USUAL_F1.max((1.0 + limit) / 2.0)
    }
}

/// The gate with this limit alone. Bare figures are taken to be judged with confidence: by themselves they only seem sure.
fn alone(quality: &Quality, field: &str) -> Quality {
    let only = |name: &str, limit| if name == field { limit } else { None };
    Quality {
        confidence: Some(quality.confidence.unwrap_or(ConfidenceLevel::DEFAULT)),
        max_f1_drop: only("max_f1_drop", quality.max_f1_drop),
        max_precision_drop: only("max_precision_drop", quality.max_precision_drop),
        max_recall_drop: only("max_recall_drop", quality.max_recall_drop),
        min_f1: only("min_f1", quality.min_f1),
        min_precision: only("min_precision", quality.min_precision),
        min_recall: only("min_recall", quality.min_recall),
        scores: Vec::new(),
        ..quality.clone()
    }
}

/// The samples of each color after which a limit is known to be kept, a tenth exact.
fn samples_to_keep(gate: &Quality, figure: f64) -> u64 {
    let mut samples = gate.min_samples.max(10);
    while samples < MOST_SAMPLES {
        let outcomes = outcomes(figure, samples);
        let both = PerColor {
            blue: outcomes,
            green: outcomes,
        };
        let verdicts = gate.judge(Color::Blue, &both, &PerColor::default());
        if verdicts.analysis == QualityAnalysis::Passed {
            return samples;
        }
        samples += samples / 10;
    }
    MOST_SAMPLES
}

/// Outcomes without true negatives whose precision, recall and F1 are all at this figure.
fn outcomes(figure: f64, samples: u64) -> Outcomes {
    // F1 = 2·J / (1 + J), with J the share of true positives.
    let tp = (samples as f64 * figure / (2.0 - figure)).round() as u64;
    let fp = (samples - tp) / 2;
    Outcomes {
        tp,
        fp,
        fn_: samples - tp - fp,
        tn: 0,
    }
}
