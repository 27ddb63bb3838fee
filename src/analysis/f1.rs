//! F1 with confidence, of one color and by how much it drops from one to the other.
//!
//! F1 = 2·J / (1 + J) grows with J = TP / (TP + FP + FN), the share of right ones among all that were found or were to be
//! found (Jaccard's index). So what is known of that share is known of F1.

use crate::analysis::confidence_sequence::{ConfidenceSequence, Interval, LimitVerdict};
use crate::analysis::proportion::Proportion;

/// The F1 of one color.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct F1 {
    jaccard: Proportion,
}

/// By how much F1 is lower on the canary than on the stable color.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct F1Drop {
    stable: F1,
    canary: F1,
}

// === impl F1 ===

impl F1 {
    /// By true positives out of all but the true negatives; none without any.
    pub fn new(true_positives: u64, all: u64) -> Option<Self> {
        let jaccard = Proportion::new(true_positives, all)?;
        Some(Self { jaccard })
    }

    /// The figure itself.
    pub fn value(self) -> f64 {
        from_jaccard(self.jaccard.share())
    }

    /// The true values that are not excluded.
    pub fn interval(self, sequence: &ConfidenceSequence) -> Interval {
        let Interval { low, high } = self.jaccard.interval(sequence);
        Interval {
            low: from_jaccard(low),
            high: from_jaccard(high),
        }
    }

    /// Whether the true value is `least` or more.
    pub fn judge(self, least: f64, sequence: &ConfidenceSequence) -> LimitVerdict {
        self.jaccard.judge(to_jaccard(least), sequence)
    }

    fn evidence_against(self, true_value: f64) -> f64 {
        self.jaccard.evidence_against(to_jaccard(true_value))
    }

    /// How fast the evidence against a true value grows with it.
    fn slope(self, true_value: f64) -> f64 {
        let [part, rest] = self.jaccard.counts();
        let (lower, upper) = (true_value.max(TINY), (1.0 - true_value).max(TINY));
        rest / upper - part / lower - self.jaccard.samples() / (1.0 + upper)
    }
}

/// Keeps a quotient finite at the ends of the range.
const TINY: f64 = 1e-12;

fn from_jaccard(jaccard: f64) -> f64 {
    2.0 * jaccard / (1.0 + jaccard)
}

fn to_jaccard(f1: f64) -> f64 {
    f1 / (2.0 - f1)
}

// === impl F1Drop ===

impl F1Drop {
    /// From the stable color to the canary.
    pub const fn new(stable: F1, canary: F1) -> Self {
        Self { stable, canary }
    }

    /// The figure itself.
    pub fn value(self) -> f64 {
        self.stable.value() - self.canary.value()
    }

    /// The true values of the stable color and of the canary that are not excluded.
    pub fn of_both(self, sequence: &ConfidenceSequence) -> [Interval; 2] {
        [self.stable, self.canary].map(|f1| f1.interval(sequence))
    }

    /// The true drops that are not excluded.
    pub fn interval(self, sequence: &ConfidenceSequence) -> Interval {
        let evidence = |drop| self.evidence_against(drop);
        sequence.interval(self.value(), [-1.0, 1.0], self.samples(), evidence)
    }

    /// Whether the true drop is `most` or less.
    pub fn judge(self, most: f64, sequence: &ConfidenceSequence) -> LimitVerdict {
        if most >= 1.0 {
            return LimitVerdict::Kept;
        }
        let evidence = self.evidence_against(most);
        sequence.judge(self.value() <= most, self.samples(), evidence)
    }

    /// How many samples on each color would tell as much about the difference.
    fn samples(self) -> f64 {
        let [stable, canary] = [self.stable, self.canary].map(|f1| f1.jaccard.samples());
        2.0 * stable * canary / (stable + canary)
    }

    /// The natural logarithm of the likelihood ratio of both figures to the likeliest two true values that lie `drop`
    /// apart. Against each of the two the evidence is convex, and so is their sum: its slope is 0 at the least.
    pub fn evidence_against(self, drop: f64) -> f64 {
        const HALVINGS: u32 = 40;
        let ends = [self.stable.value(), self.canary.value() + drop];
        let within = |value: f64| value.clamp(drop.max(0.0), 1.0 + drop.min(0.0));
        let [mut low, mut high] = [ends[0].min(ends[1]), ends[0].max(ends[1])].map(within);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if self.stable.slope(middle) + self.canary.slope(middle - drop) < 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        let canary = (high - drop).clamp(0.0, 1.0);
        self.stable.evidence_against(high) + self.canary.evidence_against(canary)
    }
}
