//! Figures as they are read at a glance.

use crate::clock::show_duration;
use crate::live::view::NextStep;

/// What is shown where there is no figure.
pub const NOTHING: &str = "-";

/// A percentage that was measured.
pub fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.1} %"))
}

/// A rate per second.
pub fn per_second(value: Option<f64>) -> String {
    match value {
        None => NOTHING.to_owned(),
        Some(value) if value >= 100.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.1}"),
    }
}

/// A time.
pub fn ms(value: Option<f64>) -> String {
    match value {
        None => NOTHING.to_owned(),
        // Envoy measures whole milliseconds.
        Some(value) if value < 1.0 => "<1 ms".to_owned(),
        Some(value) if value < 10.0 => format!("{value:.1} ms"),
        Some(value) if value < 10_000.0 => format!("{value:.0} ms"),
        Some(value) => format!("{:.1} s", value / 1_000.0),
    }
}

/// A count.
pub fn count(value: Option<u64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}

/// When the next step begins.
pub fn next(next: &NextStep) -> String {
    let earliest = show_duration(next.earliest_in_ms);
    let weight = next.weight_percent;
    match next.latest_in_ms {
        None => format!("then {weight} %"),
        Some(0) => format!("{weight} % is due"),
        Some(latest) if latest == next.earliest_in_ms => format!("{weight} % in {earliest}"),
        Some(latest) if next.earliest_in_ms == 0 => {
            format!("{weight} % in at most {}", show_duration(latest))
        }
        Some(latest) => format!("{weight} % in {earliest} to {}", show_duration(latest)),
    }
}
