//! A score: any figure of a prediction whose mean tells how good a model is, and its limits.

use crate::analysis::sequential::Tolerance;
use crate::json::found::Found;
use crate::json::invalid::invalid;
use crate::value::decimal::Micro;
use crate::value::name::ScoreName;
use crate::value::percent::Percent;

/// What is measured of each prediction, and what its mean must keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// Its name in feedback and in stats.
    pub name: ScoreName,
    /// Which way it gets better, and how bad it may be.
    pub limits: ScoreLimits,
}

/// Which way a score gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Upward.
    Higher,
    /// Downward.
    Lower,
}

invalid! {
    /// Neither way.
    InvalidBetter
}

/// Which way a score gets better, and its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreLimits {
    /// A higher mean is better.
    Higher {
        /// The lowest mean that is allowed.
        min: Option<Micro>,
        /// The most that the canary's mean may lie below the stable color's.
        max_drop: Option<Micro>,
        /// The same in percent of the stable color's mean.
        max_drop_percent: Option<Percent>,
    },
    /// A lower mean is better.
    Lower {
        /// The highest mean that is allowed.
        max: Option<Micro>,
        /// The most that the canary's mean may lie above the stable color's.
        max_rise: Option<Micro>,
        /// The same in percent of the stable color's mean.
        max_rise_percent: Option<Tolerance>,
    },
}

/// One limit of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreLimit {
    /// The mean is this or more.
    Min(Micro),
    /// The mean is this or less.
    Max(Micro),
    /// The mean is at most this below the stable color's.
    MaxDrop(Micro),
    /// The mean is at most this above the stable color's.
    MaxRise(Micro),
    /// The same as [`ScoreLimit::MaxDrop`], in percent of the stable color's mean.
    MaxDropPercent(Percent),
    /// The same as [`ScoreLimit::MaxRise`], in percent of the stable color's mean.
    MaxRisePercent(Tolerance),
}

// === impl Better ===

impl Better {
    /// # Errors
    /// For all but `higher` and `lower`.
    pub fn parse(text: &str) -> Result<Self, InvalidBetter> {
        match text {
            "higher" => Ok(Self::Higher),
            "lower" => Ok(Self::Lower),
            _ => Err(InvalidBetter::new(Found::string(text), "higher or lower")),
        }
    }
}

// === impl ScoreLimits ===

impl ScoreLimits {
    /// Those that are given.
    pub fn given(&self) -> impl Iterator<Item = ScoreLimit> {
        let limits = match *self {
            Self::Higher {
                min,
                max_drop,
                max_drop_percent,
            } => [
                min.map(ScoreLimit::Min),
                max_drop.map(ScoreLimit::MaxDrop),
                max_drop_percent.map(ScoreLimit::MaxDropPercent),
            ],
            Self::Lower {
                max,
                max_rise,
                max_rise_percent,
            } => [
                max.map(ScoreLimit::Max),
                max_rise.map(ScoreLimit::MaxRise),
                max_rise_percent.map(ScoreLimit::MaxRisePercent),
            ],
        };
        limits.into_iter().flatten()
    }
}

// === impl ScoreLimit ===

impl ScoreLimit {
    /// The name of its field.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Min(_) => "min",
            Self::Max(_) => "max",
            Self::MaxDrop(_) => "max_drop",
            Self::MaxRise(_) => "max_rise",
            Self::MaxDropPercent(_) => "max_drop_percent",
            Self::MaxRisePercent(_) => "max_rise_percent",
        }
    }
}
