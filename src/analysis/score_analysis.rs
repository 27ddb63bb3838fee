//! What the quality gate makes of a score's limit.

use crate::analysis::confidence_sequence::{
    ConfidenceLevel, ConfidenceSequence, Interval, LimitVerdict,
};
use crate::analysis::score::ScoreLimit;
use crate::analysis::score_mean::{MeanDrop, ScoreMean};
use crate::analysis::score_sum::ScoreSum;
use crate::value::decimal::Millionths;
use crate::value::name::ScoreName;
use crate::value::percent::Thousandths;
use std::fmt;

/// A score's limit that is broken, and the means that broke it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreBreach {
    score: ScoreName,
    limit: ScoreLimit,
    canary: f64,
    stable: Option<f64>,
    confidence: Option<Confidence>,
}

/// Where the true means are.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Confidence {
    level: ConfidenceLevel,
    canary: Interval,
    stable: Option<Interval>,
    /// By how much the canary's is lower or higher, for a limit in the score's unit.
    worse: Option<(&'static str, Interval)>,
}

/// A limit, and the means that it is held against.
#[derive(Clone, Copy, Debug)]
pub struct LimitedScore {
    limit: ScoreLimit,
    canary: ScoreMean,
    stable: ScoreMean,
}

// === impl LimitedScore ===

impl LimitedScore {
    /// None where a color has no scores.
    pub fn new(limit: ScoreLimit, canary: &ScoreSum, stable: &ScoreSum) -> Option<Self> {
        Some(Self {
            limit,
            canary: ScoreMean::new(canary)?,
            stable: ScoreMean::new(stable)?,
        })
    }

    /// Whether the limit is kept, with confidence; by the means as they are without.
    pub fn judge(&self, sequence: Option<&ConfidenceSequence>) -> LimitVerdict {
        match sequence {
            Some(sequence) => self.judge_with_confidence(sequence),
            None if self.is_kept() => LimitVerdict::Kept,
            None => LimitVerdict::Broken,
        }
    }

    fn judge_with_confidence(&self, sequence: &ConfidenceSequence) -> LimitVerdict {
        let drop = self.drop();
        match self.limit {
            ScoreLimit::Min(least) => self.canary.judge_at_least(least.to_f64(), sequence),
            ScoreLimit::Max(most) => self.canary.judge_at_most(most.to_f64(), sequence),
            ScoreLimit::MaxDrop(most) => drop.judge_at_most(most.to_f64(), sequence),
            ScoreLimit::MaxRise(most) => drop.judge_at_least(-most.to_f64(), sequence),
            ScoreLimit::MaxDropPercent(_) => drop.judge_at_most(0.0, sequence),
            ScoreLimit::MaxRisePercent(_) => drop.judge_at_least(0.0, sequence),
        }
    }

    fn is_kept(&self) -> bool {
        let (canary, drop) = (self.canary.value(), self.drop().value());
        // Means that are equal in decimals may differ in their last binary digit.
        let slack = 1e-12 * (canary + self.stable.value());
        match self.limit {
            ScoreLimit::Min(least) => canary >= least.to_f64() - slack,
            ScoreLimit::Max(most) => canary <= most.to_f64() + slack,
            ScoreLimit::MaxDrop(most) => drop <= most.to_f64() + slack,
            ScoreLimit::MaxRise(most) => drop >= -most.to_f64() - slack,
            ScoreLimit::MaxDropPercent(_) => drop <= slack,
            ScoreLimit::MaxRisePercent(_) => drop >= -slack,
        }
    }

    /// From the stable color's mean, or from what a limit in percent makes of it.
    fn drop(&self) -> MeanDrop {
        let times = match self.limit {
            ScoreLimit::MaxDropPercent(percent) => percent.rest().to_share(),
            ScoreLimit::MaxRisePercent(percent) => percent.ratio(),
            _ => 1.0,
        };
        MeanDrop::new(self.stable, self.canary, times)
    }

    /// What to say of the limit where it is broken.
    pub fn breach(
        &self,
        score: &ScoreName,
        level: Option<(ConfidenceLevel, &ConfidenceSequence)>,
    ) -> ScoreBreach {
        let is_absolute = matches!(self.limit, ScoreLimit::Min(_) | ScoreLimit::Max(_));
        let confidence = level.map(|(level, sequence)| {
            let drop = self.drop();
            let Interval { low, high } = drop.interval(sequence);
            Confidence {
                level,
                canary: self.canary.interval(sequence),
                stable: (!is_absolute).then(|| self.stable.interval(sequence)),
                worse: match self.limit {
                    ScoreLimit::MaxDrop(_) => Some(("drop", Interval { low, high })),
                    ScoreLimit::MaxRise(_) => Some((
                        "rise",
                        Interval {
                            low: -high,
                            high: -low,
                        },
                    )),
                    _ => None,
                },
            }
        });
        ScoreBreach {
            score: score.clone(),
            limit: self.limit,
            canary: self.canary.value(),
            stable: (!is_absolute).then(|| self.stable.value()),
            confidence,
        }
    }
}

// === impl ScoreBreach ===

impl fmt::Display for ScoreBreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (score, limit) = (self.score.as_str(), self.limit.as_str());
        write!(f, "{score} {limit} ")?;
        match self.limit {
            ScoreLimit::Min(allowed)
            | ScoreLimit::Max(allowed)
            | ScoreLimit::MaxDrop(allowed)
            | ScoreLimit::MaxRise(allowed) => write!(f, "{allowed}")?,
            ScoreLimit::MaxDropPercent(allowed) => write!(f, "{allowed} %")?,
            ScoreLimit::MaxRisePercent(allowed) => {
                write!(f, "{} %", Thousandths(allowed.millipercent()))?;
            }
        }
        write!(f, " is broken: mean {}", Millionths::nearest(self.canary))?;
        if let Some(stable) = self.stable {
            write!(f, ", stable {}", Millionths::nearest(stable))?;
        }
        match &self.confidence {
            Some(confidence) => write!(f, "; {confidence}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "with {} % confidence {}", self.level, Range(self.canary))?;
        if let Some(stable) = self.stable {
            write!(f, ", stable {}", Range(stable))?;
        }
        match self.worse {
            Some((worse, by)) => write!(f, ", the {worse} {}", Range(by)),
            None => Ok(()),
        }
    }
}

/// An interval in a log line.
struct Range(Interval);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, high] = [self.0.low, self.0.high].map(Millionths::nearest);
        write!(f, "{low} to {high}")
    }
}
