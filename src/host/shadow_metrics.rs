//! Envoy's metrics for copies of one rollout's requests.

use super::metrics::{ColorMetrics, StreamMetrics};
use super::proxy_wasm::metric::Counter;
use super::quality_metrics::{FigureGauges, OutcomeCounters};
use crate::analysis::quality_figures::QualityFigure;
use crate::metrics::{self, ColorStats, Traffic};
use crate::policy::shared_store::HostStatus;
use crate::value::color::PerColor;
use crate::value::name::RolloutName;

/// What becomes of copies.
#[derive(Debug)]
pub struct ShadowMetrics {
    /// Requests that Envoy was to copy.
    pub copied: Counter,
    pub colors: PerColor<ColorMetrics>,
    pub streams: PerColor<StreamMetrics>,
    pub outcomes: PerColor<OutcomeCounters>,
}

/// How often the colors disagree.
#[derive(Debug)]
pub struct DisagreementMetrics {
    compared: Counter,
    differing: Counter,
    share: FigureGauges,
}

// === impl ShadowMetrics ===

impl ShadowMetrics {
    pub fn define(rollout: &RolloutName) -> Result<Self, HostStatus> {
        let stats = |color| ColorStats {
            rollout,
            color,
            traffic: Traffic::Shadow,
        };
        Ok(Self {
            copied: Counter::define(&metrics::shadow_copied_total(rollout))?,
            colors: PerColor::try_from_fn(|color| ColorMetrics::define(stats(color)))?,
            streams: PerColor::try_from_fn(|color| StreamMetrics::define(stats(color)))?,
            outcomes: PerColor::try_from_fn(|color| OutcomeCounters::define(stats(color)))?,
        })
    }
}

// === impl DisagreementMetrics ===

impl DisagreementMetrics {
    pub fn define(rollout: &RolloutName) -> Result<Self, HostStatus> {
        Ok(Self {
            compared: Counter::define(&metrics::shadow_compared_total(rollout))?,
            differing: Counter::define(&metrics::shadow_disagreements_total(rollout))?,
            share: FigureGauges::define(metrics::shadow_disagreement(rollout))?,
        })
    }

    /// Counts a request whose two answers were compared.
    pub fn count(&self, differs: bool) {
        self.compared.increment();
        self.differing.add(differs.into());
    }

    /// Shows the share of the generation in force.
    pub fn show(&self, share: QualityFigure) {
        self.share.set(share);
    }
}
