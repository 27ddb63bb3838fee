//! Confidence that holds however often figures are looked at.
//!
//! At a fixed number of samples the signed root of the likelihood ratio is close to normal, and over time it moves as
//! Brownian motion does, whose intrinsic time is the number of samples. Mixing over its drift, with a half-normal
//! weight, gives a bound that the motion ever crosses with a set probability at most (Robbins, *Statistical methods
//! related to the law of the iterated logarithm*, 1970; Howard, Ramdas, McAuliffe and Sekhon, *Time-uniform,
//! nonparametric, nonasymptotic confidence sequences*, 2021, the one-sided normal mixture).

use crate::json::found::Found;
use crate::json::invalid::invalid;
use crate::value::percent::Percent;
use std::fmt;

/// How sure a verdict must be: from 50 % to 99.99 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfidenceLevel(Percent);

/// How much evidence excludes a value for good, at each number of samples.
#[derive(Clone, Copy, Debug)]
pub struct ConfidenceSequence {
    /// The chance that a true value is ever excluded from one side.
    risk: f64,
    /// Around eight times so many samples the least evidence is asked for.
    scale: f64,
}

/// A range of values that are not excluded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

/// What is known of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitVerdict {
    /// It may be kept or broken.
    Undecided,
    /// It is surely kept.
    Kept,
    /// It is surely broken.
    Broken,
}

invalid! {
    /// Not a confidence.
    InvalidConfidence
}

// === impl ConfidenceLevel ===

impl ConfidenceLevel {
    /// 95 %.
    pub const DEFAULT: Self = Self(Percent::NINETY_FIVE);

    const LOWEST: u32 = 50_000;
    const HIGHEST: u32 = 99_990;

    /// Reads a JSON number.
    ///
    /// # Errors
    /// For all but a percentage from 50 to 99.99.
    pub fn parse(text: &str) -> Result<Self, InvalidConfidence> {
        let percent = Percent::parse(text).ok();
        let percent = percent
            .filter(|percent| (Self::LOWEST..=Self::HIGHEST).contains(&percent.millipercent()));
        percent.map(Self).ok_or_else(|| {
            InvalidConfidence::new(
                Found::plain(text),
                "a number from 50 to 99.99 in steps of 0.001, or \"none\"",
            )
        })
    }

    /// As a percentage.
    pub const fn percent(self) -> Percent {
        self.0
    }
}

impl fmt::Display for ConfidenceLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl ConfidenceSequence ===

impl ConfidenceSequence {
    /// How many times the scale there are in the fewest samples that are judged: where some of them say nothing about a
    /// figure, as true negatives do, the bound is about as tight as it can be from there to a hundred times as many.
    const SCALES_IN_FEWEST: f64 = 8.0;

    /// The tightest around `min_samples` samples and some times as many.
    pub fn new(level: ConfidenceLevel, min_samples: u64) -> Self {
        Self {
            risk: level.percent().rest().to_share(),
            scale: (to_f64(min_samples) / Self::SCALES_IN_FEWEST).max(1.0),
        }
    }

    /// The natural logarithm of the likelihood ratio from which on a value is excluded, after so many samples.
    pub fn bound(&self, samples: f64) -> f64 {
        let scales = samples / self.scale;
        let odds = (1.0 + scales).sqrt() / (2.0 * self.risk);
        (1.0 + 1.0 / scales) * (1.0 + odds).ln()
    }

    /// The values around an estimate that are not excluded, within `least` and `most`. Evidence against a value must
    /// grow with its distance from the estimate.
    pub fn interval(
        &self,
        estimate: f64,
        [least, most]: [f64; 2],
        samples: f64,
        evidence_against: impl Fn(f64) -> f64,
    ) -> Interval {
        let bound = self.bound(samples);
        let is_excluded = |value| evidence_against(value) >= bound;
        Interval {
            low: outermost(estimate, least, is_excluded),
            high: outermost(estimate, most, is_excluded),
        }
    }

    /// Whether a limit is kept that lies below the estimate, or broken that lies above it, given the evidence against the
    /// limit itself.
    pub fn judge(&self, is_kept: bool, samples: f64, evidence: f64) -> LimitVerdict {
        match (evidence >= self.bound(samples), is_kept) {
            (false, _) => LimitVerdict::Undecided,
            (true, true) => LimitVerdict::Kept,
            (true, false) => LimitVerdict::Broken,
        }
    }
}

/// The first excluded value on the way from `inside` to `end`, or the end.
fn outermost(inside: f64, end: f64, is_excluded: impl Fn(f64) -> bool) -> f64 {
    /// Halves the range to less than a ten-millionth.
    const HALVINGS: u32 = 24;
    if !is_excluded(end) {
        return end;
    }
    let (mut inside, mut outside) = (inside, end);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(inside, outside);
        if is_excluded(middle) {
            outside = middle;
        } else {
            inside = middle;
        }
    }
    outside
}

/// A count as a number, exact up to 2^53.
pub fn to_f64(count: u64) -> f64 {
    let [high, low] = [count >> 32, count & 0xffff_ffff].map(|half| u32::try_from(half).ok());
    f64::from(high.unwrap_or_default()) * 4_294_967_296.0 + f64::from(low.unwrap_or_default())
}

// === impl Interval ===

impl Interval {
    /// Both ends in parts per million, rounded outward.
    pub fn to_ppm(self) -> [u32; 2] {
        let [low, high] = [(self.low * 1e6).floor(), (self.high * 1e6).ceil()];
        [low, high].map(whole)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is below 0 becomes 0"
)]
const fn whole(number: f64) -> u32 {
    number as u32
}
