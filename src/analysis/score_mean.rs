//! The mean of scores, with confidence.
//!
//! What is known of a mean is nearly normal from some samples on, so the sequence that holds for the signed root of a
//! likelihood ratio holds for the distance to a value too, in standard errors (Waudby-Smith, Arbour, Sinha, Kennedy and
//! Ramdas, *Time-uniform central limit theory and asymptotic confidence sequences*, 2021). Scores of 0 and 1 are judged by
//! their likelihood itself, which is right for rare ones too.

use crate::analysis::confidence_sequence::{ConfidenceSequence, Interval, LimitVerdict};
use crate::analysis::proportion::Proportion;
use crate::analysis::proportion_drop::ProportionDrop;
use crate::analysis::score_sum::ScoreSum;
use crate::value::decimal::to_f64;

/// The mean of one color's scores, of which there is one at least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreMean {
    mean: f64,
    samples: f64,
    /// Of a single score.
    variance: f64,
    /// Where all scores are 0 or 1.
    share: Option<Proportion>,
}

/// So many times the stable color's mean, less the canary's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanDrop {
    stable: ScoreMean,
    canary: ScoreMean,
    times: f64,
}

// === impl ScoreMean ===

impl ScoreMean {
    /// There is none without scores.
    pub fn new(scores: &ScoreSum) -> Option<Self> {
        let mean = scores.mean()?;
        let samples = to_f64(scores.count().into());
        let share = scores.is_binary();
        Some(Self {
            mean,
            samples,
            variance: variance(scores, mean, samples),
            share: share
                .then(|| Proportion::new(scores.ones(), scores.count()))
                .flatten(),
        })
    }

    /// The mean itself.
    pub const fn value(self) -> f64 {
        self.mean
    }

    /// The true means that are not excluded.
    pub fn interval(self, sequence: &ConfidenceSequence) -> Interval {
        if let Some(share) = self.share {
            return share.interval(sequence);
        }
        let width = half_width(sequence, self.samples, self.error());
        Interval {
            low: (self.mean - width).max(0.0),
            high: self.mean + width,
        }
    }

    /// Whether the true mean is `least` or more.
    pub fn judge_at_least(self, least: f64, sequence: &ConfidenceSequence) -> LimitVerdict {
        if least <= 0.0 {
            return LimitVerdict::Kept;
        }
        self.judge(self.mean >= least, least, sequence)
    }

    /// Whether the true mean is `most` or less.
    pub fn judge_at_most(self, most: f64, sequence: &ConfidenceSequence) -> LimitVerdict {
        if self.share.is_some() && most >= 1.0 {
            return LimitVerdict::Kept;
        }
        self.judge(self.mean <= most, most, sequence)
    }

    fn judge(self, is_kept: bool, limit: f64, sequence: &ConfidenceSequence) -> LimitVerdict {
        let evidence = match self.share {
            Some(_) if limit > 1.0 => f64::INFINITY,
            Some(share) => share.evidence_against(limit),
            None => evidence(self.mean - limit, self.error()),
        };
        sequence.judge(is_kept, self.samples, evidence)
    }

    /// The variance of the mean.
    fn error(self) -> f64 {
        self.variance / self.samples
    }

    /// The variance of a single score beside another color's: as if one more had been 0 and one 1, where all are.
    fn compared_variance(self) -> f64 {
        let Some(share) = self.share else {
            return self.variance;
        };
        let [ones, _] = share.counts();
        let share = (ones + 1.0) / (self.samples + 2.0);
        share * (1.0 - share)
    }
}

// === impl MeanDrop ===

impl MeanDrop {
    /// From so many times the stable color's mean to the canary's.
    pub const fn new(stable: ScoreMean, canary: ScoreMean, times: f64) -> Self {
        Self {
            stable,
            canary,
            times,
        }
    }

    /// The figure itself.
    pub fn value(self) -> f64 {
        self.times * self.stable.mean - self.canary.mean
    }

    /// The true means of the stable color and of the canary that are not excluded.
    pub fn of_both(self, sequence: &ConfidenceSequence) -> [Interval; 2] {
        [self.stable, self.canary].map(|mean| mean.interval(sequence))
    }

    /// The true drops that are not excluded.
    pub fn interval(self, sequence: &ConfidenceSequence) -> Interval {
        if let Some(shares) = self.shares() {
            return shares.interval(sequence);
        }
        let width = half_width(sequence, self.samples(), self.error());
        Interval {
            low: self.value() - width,
            high: self.value() + width,
        }
    }

    /// Whether the true drop is `most` or less.
    pub fn judge_at_most(self, most: f64, sequence: &ConfidenceSequence) -> LimitVerdict {
        // A mean is not below 0, and of scores of 0 and 1 not above 1.
        if self.times <= 0.0 || (self.shares().is_some() && most >= self.times) {
            return LimitVerdict::Kept;
        }
        self.judge(self.value() <= most, most, sequence)
    }

    /// Whether the true drop is `least` or more.
    pub fn judge_at_least(self, least: f64, sequence: &ConfidenceSequence) -> LimitVerdict {
        if self.shares().is_some() && least <= -1.0 {
            return LimitVerdict::Kept;
        }
        self.judge(self.value() >= least, least, sequence)
    }

    fn judge(self, is_kept: bool, limit: f64, sequence: &ConfidenceSequence) -> LimitVerdict {
        match self.shares() {
            Some(shares) => {
                let evidence = shares.evidence_against(limit);
                sequence.judge(is_kept, shares.samples(), evidence)
            }
            None => {
                let evidence = evidence(self.value() - limit, self.error());
                sequence.judge(is_kept, self.samples(), evidence)
            }
        }
    }

    /// Where all scores of both colors are 0 or 1.
    fn shares(self) -> Option<ProportionDrop> {
        let shares = self.stable.share.zip(self.canary.share);
        let shares = shares.filter(|_| self.times > 0.0);
        shares.map(|(stable, canary)| ProportionDrop::of_times(stable, canary, self.times))
    }

    /// The variances of single scores.
    fn variances(self) -> [f64; 2] {
        [
            self.times * self.times * self.stable.compared_variance(),
            self.canary.compared_variance(),
        ]
    }

    /// The variance of the figure.
    fn error(self) -> f64 {
        let [stable, canary] = self.variances();
        stable / self.stable.samples + canary / self.canary.samples
    }

    /// How many samples on each color would say as much about the difference.
    fn samples(self) -> f64 {
        let [stable, canary] = self.variances();
        let samples = (stable + canary) / self.error();
        if samples.is_finite() {
            samples
        } else {
            self.stable.samples.min(self.canary.samples)
        }
    }
}

/// The variance of a single score. Scores that have all been the same, as far as a sender's floating point tells, may yet
/// differ: as if one more had been 0.
fn variance(scores: &ScoreSum, mean: f64, samples: f64) -> f64 {
    let distances = scores.squared_distances();
    let are_the_same = distances <= ScoreSum::ERROR * samples * mean * mean;
    if are_the_same {
        mean * mean / samples
    } else {
        distances / (samples - 1.0).max(1.0)
    }
}

/// What a distance that has this variance says against its being 0 in truth.
fn evidence(distance: f64, variance: f64) -> f64 {
    if variance > 0.0 {
        distance * distance / (2.0 * variance)
    } else {
        f64::INFINITY
    }
}

/// How far the values that are not excluded go from an estimate of this variance.
fn half_width(sequence: &ConfidenceSequence, samples: f64, variance: f64) -> f64 {
    (2.0 * variance * sequence.bound(samples)).sqrt()
}
