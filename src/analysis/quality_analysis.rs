//! What the quality gate makes of the outcomes and scores of both colors.

use crate::analysis::confidence_sequence::{ConfidenceLevel, ConfidenceSequence, LimitVerdict};
use crate::analysis::outcome_analysis::{LimitedOutcome, OutcomeBreach};
use crate::analysis::quality::{Outcomes, Quality};
use crate::analysis::score_analysis::{LimitedScore, ScoreBreach};
use crate::analysis::score_sum::ScoreSums;
use crate::value::color::{Color, PerColor};
use std::fmt;

/// What the gate makes of the figures.
#[derive(Clone, Debug, PartialEq)]
pub enum QualityAnalysis {
    /// Too few samples of one color or both, or a limit that may be kept or broken.
    Inconclusive,
    /// All limits are kept.
    Passed,
    /// A limit is broken.
    Failed(QualityBreach),
}

/// What the gate makes of the figures, as a whole and of each limit.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityVerdicts {
    /// As a whole.
    pub analysis: QualityAnalysis,
    /// Of each limit, in the order of [`Quality::limit_names`].
    pub limits: Vec<LimitVerdict>,
}

/// A limit, and the figure that broke it.
#[derive(Clone, Debug, PartialEq)]
pub enum QualityBreach {
    /// Of precision, recall or F1.
    Outcomes(OutcomeBreach),
    /// Of a score.
    Score(ScoreBreach),
}

// === impl Quality ===

impl Quality {
    /// Judges the figures of both colors' releases. A limit whose figure has nothing to divide by is not judged.
    pub fn judge(
        &self,
        stable: Color,
        outcomes: &PerColor<Outcomes>,
        scores: &PerColor<ScoreSums>,
    ) -> QualityVerdicts {
        let mut verdicts = QualityVerdicts {
            analysis: QualityAnalysis::Passed,
            limits: Vec::new(),
        };
        let level = self.confidence;
        let level = level.map(|level| (level, ConfidenceSequence::new(level, self.min_samples)));
        let level = level.as_ref().map(|(level, sequence)| (*level, sequence));
        let colors = [stable.other(), stable];
        self.judge_outcomes(colors.map(|it| outcomes.of(it)), level, &mut verdicts);
        self.judge_scores(colors.map(|it| scores.of(it)), level, &mut verdicts);
        verdicts
    }

    fn judge_outcomes(
        &self,
        [watched, stable]: [&Outcomes; 2],
        level: Option<(ConfidenceLevel, &ConfidenceSequence)>,
        verdicts: &mut QualityVerdicts,
    ) {
        let is_enough = watched.samples().min(stable.samples()) >= self.min_samples;
        if self.needs_outcomes() && !is_enough {
            verdicts.wait();
        }
        for (limit, allowed) in self.outcome_limits() {
            let Some(allowed) = allowed else { continue };
            let limited = is_enough.then(|| LimitedOutcome::new((limit, allowed), watched, stable));
            match limited.flatten() {
                Some(limited) => {
                    let breach = || QualityBreach::Outcomes(limited.breach(level));
                    let sequence = level.map(|(_, sequence)| sequence);
                    verdicts.take(limited.judge(sequence), breach);
                }
                None => verdicts.limits.push(LimitVerdict::Undecided),
            }
        }
    }

    fn judge_scores(
        &self,
        [watched, stable]: [&ScoreSums; 2],
        level: Option<(ConfidenceLevel, &ConfidenceSequence)>,
        verdicts: &mut QualityVerdicts,
    ) {
        for score in &self.scores {
            let [watched, stable] = [watched, stable].map(|sums| sums.of(score.name.as_str()));
            let is_enough = watched.count().min(stable.count()) >= self.min_samples;
            for limit in score.limits.given() {
                let limited = is_enough.then(|| LimitedScore::new(limit, &watched, &stable));
                match limited.flatten() {
                    Some(limited) => {
                        let breach = || QualityBreach::Score(limited.breach(&score.name, level));
                        let sequence = level.map(|(_, sequence)| sequence);
                        verdicts.take(limited.judge(sequence), breach);
                    }
                    None => {
                        verdicts.limits.push(LimitVerdict::Undecided);
                        verdicts.wait();
                    }
                }
            }
        }
    }
}

// === impl QualityVerdicts ===

impl QualityVerdicts {
    fn wait(&mut self) {
        if self.analysis == QualityAnalysis::Passed {
            self.analysis = QualityAnalysis::Inconclusive;
        }
    }

    fn take(&mut self, verdict: LimitVerdict, breach: impl FnOnce() -> QualityBreach) {
        self.limits.push(verdict);
        match (verdict, &self.analysis) {
            (LimitVerdict::Kept, _) | (_, QualityAnalysis::Failed(_)) => {}
            (LimitVerdict::Undecided, _) => self.wait(),
            (LimitVerdict::Broken, _) => self.analysis = QualityAnalysis::Failed(breach()),
        }
    }
}

// === impl QualityBreach ===

impl fmt::Display for QualityBreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outcomes(breach) => breach.fmt(f),
            Self::Score(breach) => breach.fmt(f),
        }
    }
}
