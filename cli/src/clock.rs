//! Times as operators write and read them.

use bluegreen::parse_time_ms;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX))
}

/// The value of `--at`, in milliseconds since 1970.
///
/// # Errors
/// Where it is no RFC 3339 time.
pub fn parse_at(text: &str) -> Result<u64, String> {
    parse_time_ms(text).map_err(|error| error.to_string())
}

/// The value of `--timeout` and the like.
///
/// # Errors
/// Where it is no duration.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let ms = bluegreen::parse_duration_ms(text).map_err(|error| error.to_string())?;
    Ok(Duration::from_millis(ms))
}

/// A time to the second.
pub fn show_time(ms: u64) -> String {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(ms / 1_000));
    time.map_or_else(String::new, |time| {
        humantime::format_rfc3339_seconds(time).to_string()
    })
}

/// The time of day to the second, in UTC.
pub fn show_clock(ms: u64) -> String {
    let seconds = ms / 1_000 % 86_400;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

/// A duration by its two largest units.
pub fn show_duration(ms: u64) -> String {
    let text = humantime::format_duration(Duration::from_secs(ms / 1_000)).to_string();
    let units: Vec<&str> = text.split(' ').take(2).collect();
    units.join(" ")
}
