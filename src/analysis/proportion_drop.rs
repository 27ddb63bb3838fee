//! By how much a share drops from the stable color to the canary.

use crate::analysis::confidence_sequence::{ConfidenceSequence, Interval, LimitVerdict};
use crate::analysis::proportion::Proportion;

/// So many times the stable color's share, less the canary's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProportionDrop {
    stable: Proportion,
    canary: Proportion,
    /// Above 0; 1 for the plain difference.
    times: f64,
}

// === impl ProportionDrop ===

impl ProportionDrop {
    /// From the stable color to the canary.
    pub const fn new(stable: Proportion, canary: Proportion) -> Self {
        Self::of_times(stable, canary, 1.0)
    }

    /// From so many times the stable color's share, which is more than none.
    pub const fn of_times(stable: Proportion, canary: Proportion, times: f64) -> Self {
        Self {
            stable,
            canary,
            times,
        }
    }

    /// The figure itself.
    pub fn value(self) -> f64 {
        self.times * self.stable.share() - self.canary.share()
    }

    /// The true shares of the stable color and of the canary that are not excluded.
    pub fn of_both(self, sequence: &ConfidenceSequence) -> [Interval; 2] {
        [self.stable, self.canary].map(|share| share.interval(sequence))
    }

    /// The true drops that are not excluded.
    pub fn interval(self, sequence: &ConfidenceSequence) -> Interval {
        let evidence = |drop| self.evidence_against(drop);
        sequence.interval(self.value(), [-1.0, self.times], self.samples(), evidence)
    }

    /// Whether the true drop is `most` or less.
    pub fn judge(self, most: f64, sequence: &ConfidenceSequence) -> LimitVerdict {
        if most >= self.times {
            return LimitVerdict::Kept;
        }
        let evidence = self.evidence_against(most);
        sequence.judge(self.value() <= most, self.samples(), evidence)
    }

    /// How many samples on each color would tell as much about the difference.
    pub fn samples(self) -> f64 {
        let [stable, canary] = [self.stable, self.canary].map(Proportion::samples);
        2.0 * stable * canary / (stable + canary)
    }

    /// The natural logarithm of the likelihood ratio of both shares to the likeliest two true ones that lie `drop` apart.
    /// Against each of the two the evidence is convex, and so is their sum: its slope is 0 at the least.
    pub fn evidence_against(self, drop: f64) -> f64 {
        const HALVINGS: u32 = 40;
        let of_canary = |stable: f64| self.times * stable - drop;
        let [least, most] = [drop / self.times, (1.0 + drop) / self.times];
        let within = |stable: f64| stable.max(least.max(0.0)).min(most.min(1.0));
        let ends = [
            self.stable.share(),
            (self.canary.share() + drop) / self.times,
        ];
        let [mut low, mut high] = [ends[0].min(ends[1]), ends[0].max(ends[1])].map(within);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            let slope =
                slope(self.stable, middle) + self.times * slope(self.canary, of_canary(middle));
            if slope < 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        let canary = of_canary(high).clamp(0.0, 1.0);
        self.stable.evidence_against(high) + self.canary.evidence_against(canary)
    }
}

/// How fast the evidence against a true share grows with it.
fn slope(share: Proportion, true_share: f64) -> f64 {
    /// Keeps a quotient finite at the ends of the range.
    const TINY: f64 = 1e-12;
    let [part, rest] = share.counts();
    rest / (1.0 - true_share).max(TINY) - part / true_share.max(TINY)
}
