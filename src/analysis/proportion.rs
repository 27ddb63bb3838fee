//! A share of samples, and how strongly it speaks against another.

use crate::analysis::confidence_sequence::{ConfidenceSequence, Interval, LimitVerdict, to_f64};

/// So many of so many samples, of which there is one at least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proportion {
    part: f64,
    whole: f64,
}

// === impl Proportion ===

impl Proportion {
    /// There is none without samples.
    pub fn new(part: u64, whole: u64) -> Option<Self> {
        (whole > 0).then(|| Self {
            part: to_f64(part.min(whole)),
            whole: to_f64(whole),
        })
    }

    /// The share itself.
    pub fn share(self) -> f64 {
        self.part / self.whole
    }

    /// Of how many samples.
    pub const fn samples(self) -> f64 {
        self.whole
    }

    /// How many samples are in it, and how many are not.
    pub fn counts(self) -> [f64; 2] {
        [self.part, self.whole - self.part]
    }

    /// The natural logarithm of the likelihood ratio of this share to a `true_share`.
    pub fn evidence_against(self, true_share: f64) -> f64 {
        let share = self.share();
        let [part, rest] = self.counts();
        term(part, share, true_share) + term(rest, 1.0 - share, 1.0 - true_share)
    }

    /// The true shares that are not excluded.
    pub fn interval(self, sequence: &ConfidenceSequence) -> Interval {
        let evidence = |share| self.evidence_against(share);
        sequence.interval(self.share(), [0.0, 1.0], self.samples(), evidence)
    }

    /// Whether the true share is `least` or more.
    pub fn judge(self, least: f64, sequence: &ConfidenceSequence) -> LimitVerdict {
        if least <= 0.0 {
            return LimitVerdict::Kept;
        }
        let evidence = self.evidence_against(least);
        sequence.judge(self.share() >= least, self.samples(), evidence)
    }
}

fn term(count: f64, share: f64, true_share: f64) -> f64 {
    if count <= 0.0 {
        0.0
    } else if true_share <= 0.0 {
        f64::INFINITY
    } else {
        count * (share / true_share).ln()
    }
}
