//! Limits of quality that the samples asked for can't tell from chance.

use crate::finding::Finding;
use bluegreen::{Percent, Policy, Quality};

/// The F1 of a fair model, where the configuration names none.
const USUAL_F1: f64 = 0.9;

/// Limits that are finer than what `min_samples` resolves.
pub fn check(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, rollout) in policy.rollouts.iter().enumerate() {
        let Some(quality) = &rollout.quality else {
            continue;
        };
        let samples = quality.min_samples;
        let at = |field: &str| format!("rollouts[{index}].quality.{field}");
        if let Some(drop) = quality.max_f1_drop
            && let Some(wanted) = samples_for_drop(quality, drop)
            && samples < wanted
        {
            findings.push(Finding::warning(
                at("max_f1_drop"),
                format!(
                    "{drop} points can't be judged with min_samples {samples}: at an F1 of {:.0} % it takes \
                     {wanted} samples of each color to tell such a difference from chance",
                    assumed_f1(quality) * 100.0
                ),
            ));
        }
        let limits = [
            ("min_f1", quality.min_f1),
            ("min_precision", quality.min_precision),
            ("min_recall", quality.min_recall),
        ];
        for (field, limit) in limits {
            let Some((limit, wanted)) = limit.and_then(|it| Some((it, samples_for_limit(it)?)))
            else {
                continue;
            };
            if samples < wanted {
                findings.push(Finding::warning(
                    at(field),
                    format!(
                        "{limit} % can't be judged with min_samples {samples}: even without one error \
                         it takes {wanted} samples to show that a color keeps it"
                    ),
                ));
            }
        }
    }
    findings
}

fn share(percent: Percent) -> f64 {
    f64::from(percent.millipercent()) / 100_000.0
}

fn assumed_f1(quality: &Quality) -> f64 {
    quality.min_f1.map_or(USUAL_F1, share).max(0.5)
}

/// Two standard errors of the difference of two F1, each by the delta method:
/// n = 4·(2 − F1)²·F1·(1 − F1) / d². None where any number will do.
fn samples_for_drop(quality: &Quality, drop: Percent) -> Option<u64> {
    let (f1, drop) = (assumed_f1(quality), share(drop));
    let wanted = 4.0 * (2.0 - f1).powi(2) * f1 * (1.0 - f1) / drop.powi(2);
    wanted.is_finite().then_some(wanted.ceil() as u64)
}

/// After n samples without an error the rate of errors is below 3/n with 95 % confidence
/// (Hanley and Lippman-Hand, JAMA 249, 1983).
fn samples_for_limit(limit: Percent) -> Option<u64> {
    let errors = 1.0 - share(limit);
    (errors > 0.0).then(|| (3.0 / errors).ceil() as u64)
}
