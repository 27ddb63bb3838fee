//! Durations and times.

use crate::error::Problem;
use std::time::{Duration, UNIX_EPOCH};

pub fn parse_duration(text: &str) -> Result<Duration, Problem> {
    humantime::parse_duration(text).map_err(|_| Problem::Duration(text.to_owned()))
}

pub fn parse_duration_ms(text: &str) -> Result<u64, Problem> {
    let millis = parse_duration(text)?.as_millis();
    u64::try_from(millis).map_err(|_| Problem::Duration(text.to_owned()))
}

/// Milliseconds since 1970 of an RFC 3339 time, with any offset.
pub fn parse_time_ms(text: &str) -> Result<u64, Problem> {
    time_ms(text).ok_or_else(|| Problem::Time(text.to_owned()))
}

fn time_ms(text: &str) -> Option<u64> {
    let text = text.to_ascii_uppercase();
    let (local, offset_ms) = match text.strip_suffix('Z') {
        Some(local) => (local, 0),
        None => split_offset(&text)?,
    };
    if !local.ends_with(|last: char| last.is_ascii_digit()) {
        return None;
    }
    let time = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    let local_ms = time.duration_since(UNIX_EPOCH).ok()?.as_millis();
    let utc_ms = i64::try_from(local_ms).ok()?.checked_sub(offset_ms)?;
    u64::try_from(utc_ms).ok()
}

/// The local time and its offset in milliseconds east of UTC, of a text that ends in `+02:00` or the like.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let &[sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = offset.as_bytes() else {
        return None;
    };
    let digits = [h1, h2, m1, m2].map(|byte| char::from(byte).to_digit(10).map(i64::from));
    let [Some(h1), Some(h2), Some(m1 @ 0..6), Some(m2)] = digits else {
        return None;
    };
    let minutes = [(h1, 600), (h2, 60), (m1, 10), (m2, 1)];
    let minutes: i64 = minutes
        .map(|(digit, worth)| digit.saturating_mul(worth))
        .iter()
        .sum();
    let sign = if sign == b'-' { -60_000 } else { 60_000 };
    (minutes < 24 * 60).then(|| (local, minutes.saturating_mul(sign)))
}
