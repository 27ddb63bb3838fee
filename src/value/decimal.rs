//! Decimal numbers in exact steps, read to the letter.

use std::fmt;

/// A number of millionths, from 0 to 10^9 as a whole number: one score, or a limit of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micro(u64);

/// Any number of millionths, written as a decimal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Millionths(pub(crate) i64);

/// Reads a JSON number that is not below 0 as so many steps, of which `places` make a tenth each: with 6 places as
/// millionths. It is rounded to the nearest step, a half upward. None for all else, and for more than fits.
pub fn parse_decimal(text: &str, places: u32) -> Option<u128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let wanted = i64::try_from(whole.len())
        .ok()?
        .checked_add(exponent)?
        .checked_add(places.into())?;
    let mut digits = whole.bytes().chain(fraction.bytes());
    let mut steps = 0_u128;
    let mut taken = 0;
    while taken < wanted {
        let digit = match digits.next() {
            Some(digit) => digit.saturating_sub(b'0'),
            // Zeros follow, of which any number is nothing.
            None if steps == 0 => return Some(0),
            None => 0,
        };
        steps = steps.checked_mul(10)?.checked_add(digit.into())?;
        taken = taken.checked_add(1)?;
    }
    let rounds_up = wanted >= 0 && digits.next().is_some_and(|digit| digit >= b'5');
    steps.checked_add(rounds_up.into())
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Beyond this a number is 0 or too large, whatever its digits are: no text is so long.
    const MOST: i64 = 1_000_000;
    let exponent = digits.parse().unwrap_or(MOST).min(MOST);
    Some(if text.starts_with('-') {
        exponent.saturating_neg()
    } else {
        exponent
    })
}

/// A number as the nearest one that a `f64` holds.
pub fn to_f64(number: u128) -> f64 {
    const WORD: f64 = 4_294_967_296.0;
    [96, 64, 32, 0].into_iter().fold(0.0, |sum, shift| {
        let word = u32::try_from((number >> shift) & 0xffff_ffff);
        sum * WORD + f64::from(word.unwrap_or_default())
    })
}

// === impl Micro ===

impl Micro {
    /// 10^9.
    pub const MAX: Self = Self(1_000_000_000_000_000);

    /// Reads a JSON number, rounded to the nearest millionth. None for all but one from 0 to 10^9.
    pub fn parse(text: &str) -> Option<Self> {
        let micro = u64::try_from(parse_decimal(text, 6)?).ok().map(Self);
        micro.filter(|micro| *micro <= Self::MAX)
    }

    /// So many millionths, at most 10^15.
    pub const fn from_millionths(millionths: u64) -> Self {
        if millionths < Self::MAX.0 {
            Self(millionths)
        } else {
            Self::MAX
        }
    }

    /// So many millionths.
    pub const fn millionths(self) -> u64 {
        self.0
    }

    /// As a number.
    pub fn to_f64(self) -> f64 {
        to_f64(self.0.into()) / 1e6
    }
}

impl fmt::Display for Micro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Millionths(i64::try_from(self.0).unwrap_or(i64::MAX)).fmt(f)
    }
}

// === impl Millionths ===

impl Millionths {
    /// The nearest.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is too large becomes the largest"
    )]
    pub(crate) fn nearest(number: f64) -> Self {
        Self((number * 1e6).round() as i64)
    }
}

impl fmt::Display for Millionths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let number = self.0.unsigned_abs();
        let (whole, millionths) = (number / 1_000_000, number % 1_000_000);
        if millionths == 0 {
            return write!(f, "{sign}{whole}");
        }
        let places = format!("{millionths:06}");
        write!(f, "{sign}{whole}.{}", places.trim_end_matches('0'))
    }
}
