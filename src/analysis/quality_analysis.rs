//! What the quality gate makes of the outcomes of both colors.

use crate::analysis::confidence_sequence::{
    ConfidenceLevel, ConfidenceSequence, Interval, LimitVerdict,
};
use crate::analysis::f1::{F1, F1Drop};
use crate::analysis::proportion::Proportion;
use crate::analysis::quality::{Outcomes, Quality};
use crate::value::color::{Color, PerColor};
use crate::value::percent::{Percent, Thousandths};
use std::fmt;

/// What the gate makes of the figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum QualityAnalysis {
    /// Too few samples of one color or both, or a limit that may be kept or broken.
    Inconclusive,
    /// All limits are kept.
    Passed,
    /// A limit is broken.
    Failed(QualityBreach),
}

/// A limit, and the figure that broke it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualityBreach {
    limit: &'static str,
    allowed: Percent,
    watched_ppm: u32,
    stable_ppm: Option<u32>,
    confidence: Option<Confidence>,
}

/// How sure it is that a limit is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Confidence {
    level: ConfidenceLevel,
    watched: Interval,
    compared: Option<Compared>,
}

/// How the canary's figure compares with the stable color's.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Compared {
    stable: Interval,
    drop: Interval,
}

/// A limit, and the figure that it is held against.
struct Limited {
    limit: &'static str,
    allowed: Percent,
    watched_ppm: u32,
    figure: Figure,
}

/// A figure that may have a limit.
enum Figure {
    Share(Proportion),
    F1(F1),
    F1Drop { drop: F1Drop, stable_ppm: u32 },
}

// === impl Quality ===

impl Quality {
    /// Judges the figures of both colors' releases. A limit whose figure has nothing to divide by is not judged.
    pub fn judge(&self, stable: Color, outcomes: &PerColor<Outcomes>) -> QualityAnalysis {
        let watched = outcomes.of(stable.other());
        let stable = outcomes.of(stable);
        if watched.samples().min(stable.samples()) < self.min_samples {
            return QualityAnalysis::Inconclusive;
        }
        let mut analysis = QualityAnalysis::Passed;
        for limited in self.limits(watched, stable).into_iter().flatten() {
            match limited.judge(self) {
                LimitVerdict::Broken => return QualityAnalysis::Failed(limited.breach(self)),
                LimitVerdict::Undecided => analysis = QualityAnalysis::Inconclusive,
                LimitVerdict::Kept => {}
            }
        }
        analysis
    }

    fn limits(&self, watched: &Outcomes, stable: &Outcomes) -> [Option<Limited>; 4] {
        [
            Limited::new(
                ("min_f1", self.min_f1),
                watched.f1_ppm(),
                watched.f1().map(Figure::F1),
            ),
            Limited::new(
                ("min_precision", self.min_precision),
                watched.precision_ppm(),
                watched.precision().map(Figure::Share),
            ),
            Limited::new(
                ("min_recall", self.min_recall),
                watched.recall_ppm(),
                watched.recall().map(Figure::Share),
            ),
            Limited::new(
                ("max_f1_drop", self.max_f1_drop),
                watched.f1_ppm(),
                Figure::f1_drop(watched, stable),
            ),
        ]
    }

    fn sequence(&self, level: ConfidenceLevel) -> ConfidenceSequence {
        ConfidenceSequence::new(level, self.min_samples)
    }
}

// === impl Limited ===

impl Limited {
    /// None without a limit or without a figure.
    fn new(
        (limit, allowed): (&'static str, Option<Percent>),
        watched_ppm: Option<u32>,
        figure: Option<Figure>,
    ) -> Option<Self> {
        Some(Self {
            limit,
            allowed: allowed?,
            watched_ppm: watched_ppm?,
            figure: figure?,
        })
    }

    fn judge(&self, quality: &Quality) -> LimitVerdict {
        let Some(level) = quality.confidence else {
            return self.judge_bare();
        };
        let (allowed, sequence) = (self.allowed.to_share(), quality.sequence(level));
        match self.figure {
            Figure::Share(share) => share.judge(allowed, &sequence),
            Figure::F1(f1) => f1.judge(allowed, &sequence),
            Figure::F1Drop { drop, .. } => drop.judge(allowed, &sequence),
        }
    }

    /// By the figures as they are.
    fn judge_bare(&self) -> LimitVerdict {
        let allowed_ppm = self.allowed.millipercent().saturating_mul(10);
        let is_kept = match self.figure {
            Figure::F1Drop { stable_ppm, .. } => {
                stable_ppm.saturating_sub(self.watched_ppm) <= allowed_ppm
            }
            Figure::Share(_) | Figure::F1(_) => self.watched_ppm >= allowed_ppm,
        };
        if is_kept {
            LimitVerdict::Kept
        } else {
            LimitVerdict::Broken
        }
    }

    fn breach(&self, quality: &Quality) -> QualityBreach {
        let stable_ppm = match self.figure {
            Figure::F1Drop { stable_ppm, .. } => Some(stable_ppm),
            Figure::Share(_) | Figure::F1(_) => None,
        };
        QualityBreach {
            limit: self.limit,
            allowed: self.allowed,
            watched_ppm: self.watched_ppm,
            stable_ppm,
            confidence: quality
                .confidence
                .map(|level| self.figure.confidence(level, &quality.sequence(level))),
        }
    }
}

// === impl Figure ===

impl Figure {
    fn f1_drop(watched: &Outcomes, stable: &Outcomes) -> Option<Self> {
        Some(Self::F1Drop {
            drop: F1Drop::new(stable.f1()?, watched.f1()?),
            stable_ppm: stable.f1_ppm()?,
        })
    }

    fn confidence(&self, level: ConfidenceLevel, sequence: &ConfidenceSequence) -> Confidence {
        let (watched, compared) = match *self {
            Self::Share(share) => (share.interval(sequence), None),
            Self::F1(f1) => (f1.interval(sequence), None),
            Self::F1Drop { drop, .. } => {
                let [stable, canary] = drop.of_both(sequence);
                let drop = drop.interval(sequence);
                (canary, Some(Compared { stable, drop }))
            }
        };
        Confidence {
            level,
            watched,
            compared,
        }
    }
}

// === impl QualityBreach ===

impl fmt::Display for QualityBreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, allowed) = (self.limit, self.allowed);
        let watched = percent(self.watched_ppm);
        write!(f, "{limit} {allowed} % is broken: {watched} %")?;
        if let Some(stable) = self.stable_ppm {
            write!(f, ", stable {} %", percent(stable))?;
        }
        match &self.confidence {
            Some(confidence) => write!(f, "; {confidence}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (level, watched) = (self.level, Range(self.watched));
        write!(f, "with {level} % confidence {watched}")?;
        match self.compared {
            Some(Compared { stable, drop }) => {
                write!(f, ", stable {}, the drop {}", Range(stable), Range(drop))
            }
            None => Ok(()),
        }
    }
}

/// An interval in a log line.
struct Range(Interval);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, high] = self.0.to_ppm().map(percent);
        write!(f, "{low} to {high} %")
    }
}

/// Parts per million as percent.
const fn percent(ppm: u32) -> Thousandths {
    Thousandths(ppm / 10)
}
