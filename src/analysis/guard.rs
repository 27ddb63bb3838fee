//! The guard: figures of both colors in, and whether one of its limits is broken out.

use crate::analysis::incident::IncidentKind;
use crate::analysis::sequential::Sequential;
use crate::analysis::window::Counts;
use crate::value::color::{Color, PerColor};
use crate::value::percent::Percent;
use serde::{Deserialize, Serialize};
use std::fmt;

/// When the color that is not stable has to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// How far back to look.
    pub window_ms: u64,
    /// With fewer requests in the window the analysis is inconclusive.
    pub min_requests: u64,
    /// On the share of requests that failed.
    pub error_rate: Limits,
    /// On the share of requests that were slow.
    pub slow_rate: Limits,
    /// A response that starts later is slow, and a request that waits longer.
    pub slow_after: Option<SlowAfter>,
    /// Whether at most one failed and one slow request of a user count in the window.
    pub per_user: bool,
    /// The comparison that needs no limits.
    pub sequential: Option<Sequential>,
    /// Whether a request that succeeded only after a retry has failed.
    pub count_retries: bool,
}

/// When a response is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowAfter {
    /// After so many milliseconds.
    Fixed(u64),
    /// Later than the stable color's 95th percentile of late.
    Auto,
}

/// Limits on one rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The highest that is allowed.
    pub max: Option<Percent>,
    /// The most that is allowed above the stable color.
    pub max_over_stable: Option<Percent>,
}

/// What the guard makes of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Analysis {
    /// Too few requests to judge by any limit.
    Inconclusive,
    /// No limit is broken.
    Passed,
    /// This limit is broken.
    Failed(Breach),
}

/// A limit and the figures that broke it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which limit.
    pub cause: Cause,
    /// The limit itself.
    pub limit: Percent,
    /// Bad requests and all requests of the color that is watched.
    pub watched: Share,
    /// The same of the stable color.
    pub stable: Share,
}

/// So many out of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// How many are meant.
    pub part: u64,
    /// Out of how many.
    pub whole: u64,
}

/// Why a rollout was rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is what its name says")]
pub enum Cause {
    ErrorRate,
    ErrorRateOverStable,
    SlowRate,
    SlowRateOverStable,
    ErrorsSequential,
    SlowSequential,
    Quality,
}

// === impl Guard ===

impl Guard {
    /// The window where there are no limits to judge in it.
    pub const DEFAULT_WINDOW_MS: u64 = 30_000;

    /// Where there are no limits.
    pub const DEFAULT_MIN_REQUESTS: u64 = 100;

    /// Whether rates are held against limits.
    pub fn has_limits(&self) -> bool {
        self.error_rate != Limits::default() || self.slow_rate != Limits::default()
    }

    /// Whether single requests that went wrong have to be known, and not only how many they are.
    pub const fn needs_incidents(&self) -> bool {
        self.sequential.is_some() || self.per_user
    }

    /// Whether the guard compares how many responses are slow by the sequential test.
    pub const fn compares_slow(&self) -> bool {
        self.sequential.is_some() && self.slow_after.is_some()
    }

    /// Judges the figures of one window.
    pub fn judge(&self, stable: Color, tallies: &PerColor<Counts>) -> Analysis {
        let [watched, stable] = [tallies.of(stable.other()), tallies.of(stable)];
        let failed = [watched, stable].map(|it| Share::new(it.failed, it.requests));
        let slow = [watched, stable].map(|it| Share::new(it.slow, it.timed));
        let error_rate = self.judge_rate(
            &self.error_rate,
            failed,
            [Cause::ErrorRate, Cause::ErrorRateOverStable],
        );
        let slow_rate = self.judge_rate(
            &self.slow_rate,
            slow,
            [Cause::SlowRate, Cause::SlowRateOverStable],
        );
        match (error_rate, slow_rate) {
            (Analysis::Failed(breach), _) | (_, Analysis::Failed(breach)) => {
                Analysis::Failed(breach)
            }
            (Analysis::Inconclusive, Analysis::Inconclusive) => Analysis::Inconclusive,
            _ => Analysis::Passed,
        }
    }

    fn judge_rate(
        &self,
        limits: &Limits,
        [watched, stable]: [Share; 2],
        [alone, over_stable]: [Cause; 2],
    ) -> Analysis {
        let is_enough = |share: Share| share.whole >= self.min_requests;
        let breach = |cause, limit| {
            Analysis::Failed(Breach {
                cause,
                limit,
                watched,
                stable,
            })
        };
        let max = limits.max.filter(|_| is_enough(watched));
        let max_over_stable = limits.max_over_stable;
        let max_over_stable = max_over_stable.filter(|_| is_enough(watched) && is_enough(stable));
        match (max, max_over_stable) {
            (Some(limit), _) if watched.is_above(limit) => breach(alone, limit),
            (_, Some(limit)) if watched.is_beyond(limit, stable) => breach(over_stable, limit),
            (None, None) => Analysis::Inconclusive,
            _ => Analysis::Passed,
        }
    }
}

// === impl Share ===

impl Share {
    /// How many standard errors a difference must lie beyond its limit: a one-sided test at the level of 0.13 %.
    /// The guard looks several times a second, so by the bare difference it would trip over equal colors now and
    /// then: over 100 seeds of 200 hours each at 1 % errors, a limit of 2 points and windows of 750 requests 1,001
    /// times, by this test never.
    const Z: f64 = 3.0;

    /// A part of a whole; parts that came before the window's begin don't count.
    pub fn new(part: u64, whole: u64) -> Self {
        Self {
            part: part.min(whole),
            whole,
        }
    }

    fn is_above(self, limit: Percent) -> bool {
        let scaled = |count: u64, factor: u32| u128::from(count).saturating_mul(factor.into());
        scaled(self.part, Percent::HUNDRED.millipercent())
            > scaled(self.whole, limit.millipercent())
    }

    /// Whether this rate is surely more than `limit` points above that of `stable`: by the Wald test
    /// with one good and one bad request added to each side, which holds for small numbers too
    /// (Agresti and Caffo, The American Statistician 54, 2000).
    fn is_beyond(self, limit: Percent, stable: Self) -> bool {
        let limit = f64::from(limit.millipercent()) / f64::from(Percent::HUNDRED.millipercent());
        let (watched, watched_variance) = self.adjusted();
        let (stable, stable_variance) = stable.adjusted();
        let error = (watched_variance + stable_variance).sqrt();
        watched - stable - limit > Self::Z * error
    }

    /// The adjusted rate and its variance.
    fn adjusted(self) -> (f64, f64) {
        let whole = to_f64(self.whole) + 2.0;
        let rate = (to_f64(self.part) + 1.0) / whole;
        (rate, rate * (1.0 - rate) / whole)
    }
}

/// Exact up to 2^32, which no window holds.
fn to_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.part, self.whole)
    }
}

// === impl Breach ===

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cause,
            limit,
            watched,
            stable,
        } = self;
        write!(
            f,
            "{} is beyond {limit} %: {watched} requests, stable {stable}",
            cause.as_str()
        )
    }
}

// === impl Cause ===

impl Cause {
    /// All causes.
    pub const ALL: [Cause; 7] = [
        Cause::ErrorRate,
        Cause::ErrorRateOverStable,
        Cause::SlowRate,
        Cause::SlowRateOverStable,
        Cause::ErrorsSequential,
        Cause::SlowSequential,
        Cause::Quality,
    ];

    /// What the sequential test finds by incidents of this kind.
    pub const fn sequential(kind: IncidentKind) -> Self {
        match kind {
            IncidentKind::Failed => Cause::ErrorsSequential,
            IncidentKind::Slow => Cause::SlowSequential,
        }
    }

    /// The value of the stats' label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Cause::ErrorRate => "error_rate",
            Cause::ErrorRateOverStable => "error_rate_over_stable",
            Cause::SlowRate => "slow_rate",
            Cause::SlowRateOverStable => "slow_rate_over_stable",
            Cause::ErrorsSequential => "errors_sequential",
            Cause::SlowSequential => "slow_sequential",
            Cause::Quality => "quality",
        }
    }
}
