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
    let mut steps = 0_u128;
    let rounds_up = read_digits(text.as_bytes(), places, |digit| {
        steps = steps.checked_mul(10)?.checked_add(digit.into())?;
        Some(())
    })?;
    steps.checked_add(rounds_up.into())
}

/// Hands over the digits of so many steps, and says whether to round them up.
fn read_digits(text: &[u8], places: u32, mut take: impl FnMut(u8) -> Option<()>) -> Option<bool> {
    let (mantissa, exponent) = match split_at(text, |byte| matches!(byte, b'e' | b'E')) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = match split_at(mantissa, |byte| byte == b'.') {
        Some((_, [])) => return None,
        Some(parts) => parts,
        None => (mantissa, &[][..]),
    };
    if whole.is_empty() {
        return None;
    }
    let wanted = i64::try_from(whole.len())
        .ok()?
        .checked_add(exponent)?
        .checked_add(places.into())?;
    let mut wanted = u64::try_from(wanted).ok();
    let mut is_zero = true;
    let mut rounds_up = false;
    for byte in whole.iter().chain(fraction) {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        match &mut wanted {
            Some(0) => {
                rounds_up = digit >= 5;
                wanted = None;
            }
            Some(wanted) => {
                is_zero &= digit == 0;
                take(digit)?;
                *wanted = wanted.saturating_sub(1);
            }
            None => {}
        }
    }
    // Of zeros that follow nothing, any number is nothing.
    let zeros = wanted.filter(|_| !is_zero).unwrap_or(0);
    for _ in 0..zeros {
        take(0)?;
    }
    Some(rounds_up)
}

/// Reads a number without exponent as millionths, in one go: lists of scores may be long.
fn parse_plain(text: &[u8]) -> Option<u64> {
    const PLACES: u32 = 6;
    let mut millionths = 0_u64;
    let mut places = None;
    let mut rounds_up = false;
    for (index, byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            let is_point = *byte == b'.' && index > 0 && places.is_none();
            places = is_point.then_some(0_u32);
            places?;
            continue;
        }
        match &mut places {
            Some(places) if *places >= PLACES => {
                rounds_up |= *places == PLACES && digit >= 5;
                *places = PLACES.wrapping_add(1);
                continue;
            }
            Some(places) => *places = places.wrapping_add(1),
            None => {}
        }
        millionths = millionths.checked_mul(10)?.checked_add(digit.into())?;
    }
    if text.is_empty() || places == Some(0) {
        return None;
    }
    let missing = PLACES.saturating_sub(places.unwrap_or(0));
    let millionths = millionths.checked_mul(10_u64.checked_pow(missing)?)?;
    millionths.checked_add(rounds_up.into())
}

fn split_at(text: &[u8], is_there: impl Fn(u8) -> bool) -> Option<(&[u8], &[u8])> {
    let place = text.iter().position(|byte| is_there(*byte))?;
    let (before, rest) = text.split_at_checked(place)?;
    Some((before, rest.get(1..)?))
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    /// Beyond this a number is 0 or too large, whatever its digits are: no text is so long.
    const MOST: i64 = 1_000_000;
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+"));
    let digits = digits.unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    let exponent = digits.iter().try_fold(0_i64, |exponent, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        Some(
            exponent
                .saturating_mul(10)
                .saturating_add(digit.into())
                .min(MOST),
        )
    })?;
    Some(if text.starts_with(b"-") {
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
        Self::parse_bytes(text.as_bytes())
    }

    /// The same of bytes.
    pub fn parse_bytes(text: &[u8]) -> Option<Self> {
        if let Some(plain) = parse_plain(text) {
            return Some(Self(plain)).filter(|micro| *micro <= Self::MAX);
        }
        let mut micro = 0_u64;
        let rounds_up = read_digits(text, 6, |digit| {
            micro = micro.checked_mul(10)?.checked_add(digit.into())?;
            Some(())
        })?;
        let micro = micro.checked_add(rounds_up.into()).map(Self)?;
        Some(micro).filter(|micro| *micro <= Self::MAX)
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
