//! The sequential test of a canary: what it tests, and how rarely it may be wrong.

use crate::json::found::Found;
use crate::json::invalid::invalid;
use crate::value::percent::parse_thousandths;

/// A comparison of the canary with the stable color that may be looked at all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequential {
    /// How much more likely than a stable user's request a canary user's may fail.
    pub tolerance: Tolerance,
    /// At equal colors, the mean time between false rollbacks is at least this long.
    pub false_alarm_every_ms: u64,
}

/// A tolerance of 0 to 1,000 percent in steps of 0.001, held as thousandths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance(u32);

invalid! {
    /// Not a tolerance.
    InvalidTolerance
}

// === impl Sequential ===

impl Sequential {
    /// 365 days.
    pub const DEFAULT_FALSE_ALARM_EVERY_MS: u64 = 365 * 24 * 60 * 60 * 1_000;
}

impl Default for Sequential {
    fn default() -> Self {
        Self {
            tolerance: Tolerance::DEFAULT,
            false_alarm_every_ms: Self::DEFAULT_FALSE_ALARM_EVERY_MS,
        }
    }
}

// === impl Tolerance ===

impl Tolerance {
    /// 10 %.
    pub const DEFAULT: Self = Self(10_000);

    const MAX: u32 = 1_000_000;

    /// Reads a JSON number to the letter.
    ///
    /// # Errors
    /// For all that is not a plain decimal from 0 to 1,000 with at most three places behind the point.
    pub fn parse(text: &str) -> Result<Self, InvalidTolerance> {
        let tolerance = parse_thousandths(text).filter(|&it| it <= Self::MAX);
        tolerance.map(Self).ok_or_else(|| {
            InvalidTolerance::new(
                Found::plain(text),
                "a number from 0 to 1000 in steps of 0.001",
            )
        })
    }

    /// Thousandths of a percent.
    pub const fn millipercent(self) -> u32 {
        self.0
    }

    /// The highest ratio of the canary's failures to the stable color's that is tolerated; 1 at a tolerance of 0.
    pub fn ratio(self) -> f64 {
        1.0 + f64::from(self.0) / 100_000.0
    }
}
