//! Envoy's metrics for the quality of one rollout's predictions.

use super::proxy_wasm::metric::{Counter, Gauge};
use crate::analysis::quality::{Outcome, Outcomes};
use crate::analysis::quality_figures::{QualityFigure, QualityFigures};
use crate::metrics::{ColorStats, Traffic};
use crate::policy::shared_store::HostStatus;
use crate::value::color::PerColor;
use crate::value::name::RolloutName;

/// How one color's predictions turn out.
#[derive(Debug)]
pub struct QualityMetrics {
    outcomes: OutcomeCounters,
    precision: FigureGauges,
    recall: FigureGauges,
    f1: FigureGauges,
    samples: Gauge,
}

/// A figure and the ends of its interval.
#[derive(Debug)]
pub struct FigureGauges {
    ppm: Gauge,
    low_ppm: Gauge,
    high_ppm: Gauge,
}

/// Predictions by how they turned out.
#[derive(Debug)]
pub struct OutcomeCounters {
    tp: Counter,
    fp: Counter,
    fn_: Counter,
    tn: Counter,
}

// === impl QualityMetrics ===

impl QualityMetrics {
    /// Defines the metrics of both colors.
    pub fn define(rollout: &RolloutName) -> Result<PerColor<Self>, HostStatus> {
        PerColor::try_from_fn(|color| {
            let stats = ColorStats {
                rollout,
                color,
                traffic: Traffic::Users,
            };
            Ok(Self {
                outcomes: OutcomeCounters::define(stats)?,
                precision: FigureGauges::define(stats.quality_figure("precision"))?,
                recall: FigureGauges::define(stats.quality_figure("recall"))?,
                f1: FigureGauges::define(stats.quality_figure("f1"))?,
                samples: Gauge::define(&stats.quality_samples())?,
            })
        })
    }

    /// Counts outcomes.
    pub fn count(&self, outcomes: &Outcomes) {
        self.outcomes.count(outcomes);
    }

    /// Shows the figures of a release.
    pub fn show(&self, figures: &QualityFigures) {
        self.precision.set(figures.precision);
        self.recall.set(figures.recall);
        self.f1.set(figures.f1);
        self.samples.set(figures.samples);
    }
}

// === impl OutcomeCounters ===

impl OutcomeCounters {
    pub fn define(stats: ColorStats<'_>) -> Result<Self, HostStatus> {
        let outcomes = |kind| Counter::define(&stats.quality_outcomes_total(kind));
        Ok(Self {
            tp: outcomes(Outcome::TruePositive)?,
            fp: outcomes(Outcome::FalsePositive)?,
            fn_: outcomes(Outcome::FalseNegative)?,
            tn: outcomes(Outcome::TrueNegative)?,
        })
    }

    pub fn count(&self, outcomes: &Outcomes) {
        self.tp.add(outcomes.tp);
        self.fp.add(outcomes.fp);
        self.fn_.add(outcomes.fn_);
        self.tn.add(outcomes.tn);
    }
}

// === impl FigureGauges ===

impl FigureGauges {
    pub fn define([ppm, low_ppm, high_ppm]: [String; 3]) -> Result<Self, HostStatus> {
        Ok(Self {
            ppm: Gauge::define(&ppm)?,
            low_ppm: Gauge::define(&low_ppm)?,
            high_ppm: Gauge::define(&high_ppm)?,
        })
    }

    pub fn set(&self, figure: QualityFigure) {
        self.ppm.set(figure.ppm);
        self.low_ppm.set(figure.low_ppm);
        self.high_ppm.set(figure.high_ppm);
    }
}
