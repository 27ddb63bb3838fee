//! Envoy's metrics for the scores of one rollout's predictions, and for what is known of the limits of its quality.

use super::proxy_wasm::metric::Gauge;
use crate::analysis::confidence_sequence::LimitVerdict;
use crate::analysis::quality::Quality;
use crate::analysis::quality_figures::ScoreFigures;
use crate::analysis::score_sum::ScoreSums;
use crate::metrics::{self, ColorStats, Traffic};
use crate::policy::rollout::Rollout;
use crate::policy::shared_store::HostStatus;
use crate::value::color::{Color, PerColor};
use crate::value::name::{RolloutName, ScoreName};
use std::cell::RefCell;

/// The gauges of all scores and limits that a rollout has had, each by its name.
#[derive(Debug, Default)]
pub struct ScoreMetrics {
    scores: RefCell<Vec<(ScoreName, PerColor<ScoreGauges>)>>,
    verdicts: RefCell<Vec<(String, Gauge)>>,
}

/// A score's mean and the ends of its interval.
#[derive(Debug)]
struct ScoreGauges {
    samples: Gauge,
    mean_micro: Gauge,
    low_micro: Gauge,
    high_micro: Gauge,
}

// === impl ScoreMetrics ===

impl ScoreMetrics {
    /// Defines those that are not there yet.
    pub fn define(&self, rollout: &RolloutName, quality: &Quality) -> Result<(), HostStatus> {
        let mut scores = self.scores.borrow_mut();
        for score in &quality.scores {
            if !scores.iter().any(|(name, _)| *name == score.name) {
                let gauges = PerColor::try_from_fn(|color| {
                    let stats = ColorStats {
                        rollout,
                        color,
                        traffic: Traffic::Users,
                    };
                    ScoreGauges::define(&stats.score_figures(&score.name))
                })?;
                scores.push((score.name.clone(), gauges));
            }
        }
        let mut verdicts = self.verdicts.borrow_mut();
        for limit in quality.limit_names() {
            if !verdicts.iter().any(|(name, _)| *name == limit) {
                let gauge = Gauge::define(&metrics::quality_verdict(rollout, &limit))?;
                verdicts.push((limit, gauge));
            }
        }
        Ok(())
    }

    /// Shows the scores of each color's release.
    pub fn show_scores(&self, quality: &Quality, sums: &PerColor<ScoreSums>) {
        let scores = self.scores.borrow();
        for score in &quality.scores {
            let Some((name, gauges)) = scores.iter().find(|(name, _)| *name == score.name) else {
                continue;
            };
            for color in Color::ALL {
                let sum = sums.of(color).of(name.as_str());
                gauges.of(color).set(&ScoreFigures::new(&sum, quality));
            }
        }
    }

    /// Shows what is known of the limits, in the order of their names.
    pub fn show_verdicts(&self, quality: &Quality, shown: &[LimitVerdict]) {
        let verdicts = self.verdicts.borrow();
        for (limit, verdict) in quality.limit_names().iter().zip(shown) {
            if let Some((_, gauge)) = verdicts.iter().find(|(name, _)| name == limit) {
                gauge.set(match verdict {
                    LimitVerdict::Undecided => 0_u32,
                    LimitVerdict::Kept => 1,
                    LimitVerdict::Broken => 2,
                });
            }
        }
    }

    /// Ends what the configuration in force does not ask for.
    pub fn retire(&self, rollout: Option<&Rollout>) {
        let quality = rollout.and_then(|it| it.quality.as_ref());
        let limits = quality.map(Quality::limit_names).unwrap_or_default();
        for (name, gauge) in self.verdicts.borrow().iter() {
            if !limits.contains(name) {
                gauge.set(0_u32);
            }
        }
        for (name, gauges) in self.scores.borrow().iter() {
            let mut scores = rollout.map_or(&[][..], Rollout::scores).iter();
            if !scores.any(|score| score.name == *name) {
                for color in Color::ALL {
                    gauges.of(color).set(&ScoreFigures::default());
                }
            }
        }
    }
}

// === impl ScoreGauges ===

impl ScoreGauges {
    fn define([samples, mean, low, high]: &[String; 4]) -> Result<Self, HostStatus> {
        Ok(Self {
            samples: Gauge::define(samples)?,
            mean_micro: Gauge::define(mean)?,
            low_micro: Gauge::define(low)?,
            high_micro: Gauge::define(high)?,
        })
    }

    fn set(&self, figures: &ScoreFigures) {
        self.samples.set(figures.samples);
        self.mean_micro.set(figures.mean_micro);
        self.low_micro.set(figures.low_micro);
        self.high_micro.set(figures.high_micro);
    }
}
