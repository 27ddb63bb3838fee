//! Durations and times.

use crate::analysis::guard::SlowAfter;
use crate::json::found::Found;
use crate::json::invalid::invalid;
use std::time::{Duration, UNIX_EPOCH};

invalid! {
    /// Not a duration, or not one that is allowed here.
    InvalidDuration
}

invalid! {
    /// Not a time.
    InvalidTime
}

const A_DURATION: &str = "a duration such as \"500ms\", \"30s\", \"10m\", \"1h 30m\" or \"30d\"";
const MIN_WINDOW_MS: u64 = 1_000;
const MAX_WINDOW_MS: u64 = 24 * 60 * 60 * 1_000;
const MIN_EXCHANGE_INTERVAL_MS: u64 = 500;
const MAX_EXCHANGE_INTERVAL_MS: u64 = 60_000;
const MIN_ALARM_INTERVAL_MS: u64 = 60 * 60 * 1_000;
const MAX_ALARM_INTERVAL_MS: u64 = 3_650 * 24 * 60 * 60 * 1_000;

impl InvalidDuration {
    fn of(text: &str, must_be: &'static str) -> Self {
        Self::new(Found::string(text), must_be)
    }
}

fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    humantime::parse_duration(text).map_err(|_| InvalidDuration::of(text, A_DURATION))
}

/// Milliseconds of a duration such as `10m` or `1h 30m`.
///
/// # Errors
/// Where it is no duration.
pub fn parse_duration_ms(text: &str) -> Result<u64, InvalidDuration> {
    let millis = parse_duration(text)?.as_millis();
    u64::try_from(millis).map_err(|_| InvalidDuration::of(text, A_DURATION))
}

pub fn parse_window_ms(text: &str) -> Result<u64, InvalidDuration> {
    match parse_duration_ms(text)? {
        window_ms @ MIN_WINDOW_MS..=MAX_WINDOW_MS => Ok(window_ms),
        _ => Err(InvalidDuration::of(text, "from 1s to 24h")),
    }
}

pub fn parse_slow_after(text: &str) -> Result<SlowAfter, InvalidDuration> {
    if text == "auto" {
        return Ok(SlowAfter::Auto);
    }
    match parse_duration_ms(text)? {
        0 => Err(InvalidDuration::of(text, "1 ms or more")),
        millis => Ok(SlowAfter::Fixed(millis)),
    }
}

pub fn parse_alarm_interval_ms(text: &str) -> Result<u64, InvalidDuration> {
    match parse_duration_ms(text)? {
        every_ms @ MIN_ALARM_INTERVAL_MS..=MAX_ALARM_INTERVAL_MS => Ok(every_ms),
        _ => Err(InvalidDuration::of(text, "from 1h to 3650d")),
    }
}

pub fn parse_exchange_interval_ms(text: &str) -> Result<u64, InvalidDuration> {
    match parse_duration_ms(text)? {
        ms @ MIN_EXCHANGE_INTERVAL_MS..=MAX_EXCHANGE_INTERVAL_MS => Ok(ms),
        _ => Err(InvalidDuration::of(text, "from 500ms to 60s")),
    }
}

pub fn parse_max_age(text: &str) -> Result<Duration, InvalidDuration> {
    let age = parse_duration(text)?;
    if age.as_secs() == 0 || age.subsec_nanos() != 0 {
        return Err(InvalidDuration::of(text, "whole seconds, 1 or more"));
    }
    Ok(age)
}

/// Milliseconds since 1970 of an RFC 3339 time, with any offset.
///
/// # Errors
/// Where it is no such time.
pub fn parse_time_ms(text: &str) -> Result<u64, InvalidTime> {
    time_ms(text).ok_or_else(|| {
        InvalidTime::new(
            Found::string(text),
            "an RFC 3339 time such as \"2026-11-23T10:00:00Z\"",
        )
    })
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
