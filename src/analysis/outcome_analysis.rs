//! What the quality gate makes of a limit of precision, recall or F1.

use crate::analysis::confidence_sequence::{
    ConfidenceLevel, ConfidenceSequence, Interval, LimitVerdict,
};
use crate::analysis::f1::{F1, F1Drop};
use crate::analysis::proportion::Proportion;
use crate::analysis::proportion_drop::ProportionDrop;
use crate::analysis::quality::Outcomes;
use crate::value::percent::{Percent, Thousandths};
use std::fmt;

/// A limit of precision, recall or F1, and the figure that broke it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutcomeBreach {
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
#[derive(Clone, Copy, Debug)]
pub struct LimitedOutcome {
    limit: &'static str,
    allowed: Percent,
    watched_ppm: u32,
    figure: Figure,
}

/// A figure that may have a limit.
#[derive(Clone, Copy, Debug)]
enum Figure {
    Share(Proportion),
    ShareDrop {
        drop: ProportionDrop,
        stable_ppm: u32,
    },
    F1(F1),
    F1Drop {
        drop: F1Drop,
        stable_ppm: u32,
    },
}

// === impl LimitedOutcome ===

impl LimitedOutcome {
    /// None without a figure.
    pub fn new(
        (limit, allowed): (&'static str, Percent),
        watched: &Outcomes,
        stable: &Outcomes,
    ) -> Option<Self> {
        let (watched_ppm, figure) = match limit {
            "min_f1" => (watched.f1_ppm(), watched.f1().map(Figure::F1)),
            "max_f1_drop" => (watched.f1_ppm(), Figure::f1_drop(watched, stable)),
            "min_precision" => (
                watched.precision_ppm(),
                watched.precision().map(Figure::Share),
            ),
            "max_precision_drop" => (
                watched.precision_ppm(),
                Figure::share_drop(
                    [stable, watched].map(Outcomes::precision),
                    stable.precision_ppm(),
                ),
            ),
            "min_recall" => (watched.recall_ppm(), watched.recall().map(Figure::Share)),
            _ => (
                watched.recall_ppm(),
                Figure::share_drop([stable, watched].map(Outcomes::recall), stable.recall_ppm()),
            ),
        };
        Some(Self {
            limit,
            allowed,
            watched_ppm: watched_ppm?,
            figure: figure?,
        })
    }

    /// Whether the limit is kept, with confidence; by the figures as they are without.
    pub fn judge(&self, sequence: Option<&ConfidenceSequence>) -> LimitVerdict {
        let Some(sequence) = sequence else {
            return self.judge_figure();
        };
        let allowed = self.allowed.to_share();
        match self.figure {
            Figure::Share(share) => share.judge(allowed, sequence),
            Figure::ShareDrop { drop, .. } => drop.judge(allowed, sequence),
            Figure::F1(f1) => f1.judge(allowed, sequence),
            Figure::F1Drop { drop, .. } => drop.judge(allowed, sequence),
        }
    }

    fn judge_figure(&self) -> LimitVerdict {
        let allowed_ppm = self.allowed.millipercent().saturating_mul(10);
        let is_kept = match self.figure.stable_ppm() {
            Some(stable_ppm) => stable_ppm.saturating_sub(self.watched_ppm) <= allowed_ppm,
            None => self.watched_ppm >= allowed_ppm,
        };
        if is_kept {
            LimitVerdict::Kept
        } else {
            LimitVerdict::Broken
        }
    }

    /// What to say of the limit where it is broken.
    pub fn breach(&self, level: Option<(ConfidenceLevel, &ConfidenceSequence)>) -> OutcomeBreach {
        OutcomeBreach {
            limit: self.limit,
            allowed: self.allowed,
            watched_ppm: self.watched_ppm,
            stable_ppm: self.figure.stable_ppm(),
            confidence: level.map(|(level, sequence)| self.figure.confidence(level, sequence)),
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

    fn share_drop(shares: [Option<Proportion>; 2], stable_ppm: Option<u32>) -> Option<Self> {
        let [stable, watched] = shares;
        Some(Self::ShareDrop {
            drop: ProportionDrop::new(stable?, watched?),
            stable_ppm: stable_ppm?,
        })
    }

    /// The stable color's, where the two are compared.
    const fn stable_ppm(&self) -> Option<u32> {
        match *self {
            Self::ShareDrop { stable_ppm, .. } | Self::F1Drop { stable_ppm, .. } => {
                Some(stable_ppm)
            }
            Self::Share(_) | Self::F1(_) => None,
        }
    }

    fn confidence(&self, level: ConfidenceLevel, sequence: &ConfidenceSequence) -> Confidence {
        let compared = |[stable, canary]: [Interval; 2], drop: Interval| {
            (canary, Some(Compared { stable, drop }))
        };
        let (watched, compared) = match *self {
            Self::Share(share) => (share.interval(sequence), None),
            Self::F1(f1) => (f1.interval(sequence), None),
            Self::ShareDrop { drop, .. } => {
                compared(drop.of_both(sequence), drop.interval(sequence))
            }
            Self::F1Drop { drop, .. } => compared(drop.of_both(sequence), drop.interval(sequence)),
        };
        Confidence {
            level,
            watched,
            compared,
        }
    }
}

// === impl OutcomeBreach ===

impl fmt::Display for OutcomeBreach {
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
