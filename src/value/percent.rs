//! Percentages in exact thousandths, and the weights of the two colors.

use crate::json::found::Found;
use crate::json::invalid::invalid;
use crate::value::color::{Color, PerColor};
use std::fmt;

/// A percentage from 0 to 100 in steps of 0.001, held as thousandths of a percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

/// How much of the traffic each color gets. The two always make 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    green: Percent,
}

/// Any number of thousandths, written as a decimal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thousandths(pub(crate) u32);

invalid! {
    /// Not a percentage.
    InvalidPercent
}

/// Two weights that do not make 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidWeights(PerColor<Percent>);

// === impl Percent ===

impl Percent {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Nearly all of it.
    pub const FIFTY: Self = Self(50_000);
    /// 95 %.
    pub const NINETY_FIVE: Self = Self(95_000);
    /// All of it.
    pub const HUNDRED: Self = Self(100_000);

    /// So many thousandths of a percent, at most 100,000.
    pub const fn from_millipercent(millipercent: u32) -> Self {
        if millipercent < Self::HUNDRED.0 {
            Self(millipercent)
        } else {
            Self::HUNDRED
        }
    }

    /// Thousandths of a percent, 0 to 100,000.
    pub const fn millipercent(self) -> u32 {
        self.0
    }

    /// As a share from 0 to 1.
    pub fn to_share(self) -> f64 {
        f64::from(self.0) / f64::from(Self::HUNDRED.0)
    }

    /// What is missing to 100 %.
    pub const fn rest(self) -> Self {
        Self(Self::HUNDRED.0.saturating_sub(self.0))
    }

    /// Reads a JSON number to the letter, so that no binary fraction comes between `0.001` and its meaning.
    ///
    /// # Errors
    /// For all that is not a plain decimal from 0 to 100 with at most three places behind the point.
    /// Zeros at the end do not count as places.
    pub fn parse(text: &str) -> Result<Self, InvalidPercent> {
        let all = parse_thousandths(text).filter(|&all| all <= Self::HUNDRED.0);
        all.map(Self).ok_or_else(|| {
            InvalidPercent::new(
                Found::plain(text),
                "a number from 0 to 100 in steps of 0.001",
            )
        })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Thousandths(self.0).fmt(f)
    }
}

/// Thousandths of a plain decimal with at most three places behind the point.
pub(crate) fn parse_thousandths(text: &str) -> Option<u32> {
    let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
    let places = places.trim_end_matches('0');
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(places) || places.len() > 3 {
        return None;
    }
    let thousandths: u32 = format!("{places:0<3}").parse().ok()?;
    whole
        .parse::<u32>()
        .ok()?
        .checked_mul(1_000)?
        .checked_add(thousandths)
}

// === impl Thousandths ===

impl fmt::Display for Thousandths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, thousandths) = (self.0 / 1_000, self.0 % 1_000);
        if thousandths == 0 {
            return write!(f, "{whole}");
        }
        let places = format!("{thousandths:03}");
        write!(f, "{whole}.{}", places.trim_end_matches('0'))
    }
}

// === impl Weights ===

impl Weights {
    /// # Errors
    /// Where the two do not make 100.
    pub fn new(percent: PerColor<Percent>) -> Result<Self, InvalidWeights> {
        if percent.blue.rest() == percent.green {
            Ok(Self {
                green: percent.green,
            })
        } else {
            Err(InvalidWeights(percent))
        }
    }

    /// The weights that give `percent` to `color` and the rest to the other.
    pub const fn giving(color: Color, percent: Percent) -> Self {
        match color {
            Color::Blue => Self {
                green: percent.rest(),
            },
            Color::Green => Self { green: percent },
        }
    }

    /// The weight of one color.
    pub const fn of(self, color: Color) -> Percent {
        match color {
            Color::Blue => self.green.rest(),
            Color::Green => self.green,
        }
    }
}

// === impl InvalidWeights ===

impl fmt::Display for InvalidWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PerColor { blue, green } = self.0;
        let sum = Thousandths(blue.0.saturating_add(green.0));
        write!(f, "blue {blue} + green {green} = {sum}, must be 100")
    }
}

impl std::error::Error for InvalidWeights {}
