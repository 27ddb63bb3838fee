//! How often canary and stable color answer the same request differently, and how often they may.

use crate::analysis::confidence_sequence::{ConfidenceLevel, ConfidenceSequence, LimitVerdict};
use crate::analysis::proportion::Proportion;
use crate::analysis::quality_figures::QualityFigure;
use crate::analysis::shadow_counts::ShadowCounts;
use crate::value::percent::{Percent, Thousandths};
use std::fmt;

/// How the answers of both colors are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The highest share of requests on which they may disagree.
    pub max_disagreement: Option<Percent>,
    /// How sure it must be that this is kept or broken; by the bare figures where absent.
    pub confidence: Option<ConfidenceLevel>,
    /// With fewer pairs of answers there is no verdict.
    pub min_pairs: u64,
}

/// A limit on disagreement that is broken, and the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisagreementBreach {
    max: Percent,
    counts: ShadowCounts,
    figure: QualityFigure,
    confidence: Option<ConfidenceLevel>,
}

// === impl Comparison ===

impl Comparison {
    /// Where nothing else is asked for.
    pub const USUAL_PAIRS: u64 = 100;

    /// What is known of the limit; kept where there is none.
    pub fn judge(&self, counts: &ShadowCounts) -> LimitVerdict {
        let Some(max) = self.max_disagreement else {
            return LimitVerdict::Kept;
        };
        if counts.compared < self.min_pairs.max(1) {
            return LimitVerdict::Undecided;
        }
        match (self.confidence, agreement(counts)) {
            (Some(level), Some(share)) => share.judge(max.rest().to_share(), &self.sequence(level)),
            (None, _) if is_above(counts, max) => LimitVerdict::Broken,
            _ => LimitVerdict::Kept,
        }
    }

    /// What breaks the limit, where something does.
    pub fn breach(&self, counts: &ShadowCounts) -> Option<DisagreementBreach> {
        let is_broken = self.judge(counts) == LimitVerdict::Broken;
        let max = self.max_disagreement.filter(|_| is_broken)?;
        Some(DisagreementBreach {
            max,
            counts: *counts,
            figure: self.figure(counts),
            confidence: self.confidence,
        })
    }

    /// The share of requests on which the colors disagree. Where there is no confidence, the interval has the default.
    pub fn figure(&self, counts: &ShadowCounts) -> QualityFigure {
        let sequence = self.sequence(self.confidence.unwrap_or(ConfidenceLevel::DEFAULT));
        let differing = Proportion::new(counts.differing, counts.compared);
        let interval = differing.map(|it| it.interval(&sequence));
        QualityFigure::new(share_ppm(counts), interval)
    }

    fn sequence(&self, level: ConfidenceLevel) -> ConfidenceSequence {
        ConfidenceSequence::new(level, self.min_pairs)
    }
}

fn agreement(counts: &ShadowCounts) -> Option<Proportion> {
    let same = counts.compared.saturating_sub(counts.differing);
    Proportion::new(same, counts.compared)
}

fn is_above(counts: &ShadowCounts, max: Percent) -> bool {
    let scaled = |count: u64, factor: u32| u128::from(count).saturating_mul(factor.into());
    scaled(counts.differing, Percent::HUNDRED.millipercent())
        > scaled(counts.compared, max.millipercent())
}

fn share_ppm(counts: &ShadowCounts) -> Option<u32> {
    let parts = u128::from(counts.differing).saturating_mul(1_000_000);
    u32::try_from(parts.checked_div(counts.compared.into())?).ok()
}

// === impl DisagreementBreach ===

impl fmt::Display for DisagreementBreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let QualityFigure {
            ppm,
            low_ppm,
            high_ppm,
        } = self.figure;
        let [share, low, high] = [ppm, low_ppm, high_ppm].map(|ppm| Thousandths(ppm / 10));
        let (max, counts) = (self.max, self.counts);
        write!(
            f,
            "max_disagreement {max} % is broken: {share} %, {} of {} requests",
            counts.differing, counts.compared
        )?;
        match self.confidence {
            Some(level) => write!(f, "; with {level} % confidence {low} to {high} %"),
            None => Ok(()),
        }
    }
}
