//! How near each cause of a rollback is to it.

use crate::live::view::{CauseView, GuardView};
use crate::watch::theme::Theme;
use crate::watch::units::NOTHING;
use ratatui::text::{Line, Span};

const NAME_WIDTH: usize = 22;
const VALUE_WIDTH: usize = 20;
const MAX_BAR: usize = 30;

/// A bar for each cause.
pub fn lines(guard: &GuardView, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let is_wide = width >= 2 + NAME_WIDTH + 10 + VALUE_WIDTH;
    let names = if is_wide { NAME_WIDTH + 2 } else { 0 };
    let bar_width = width.saturating_sub(2 + names + VALUE_WIDTH).min(MAX_BAR);
    let lines = guard.causes.iter().flat_map(|cause| {
        let share = cause.value.map_or(0.0, |value| share(value, cause.limit));
        let style = if cause.is_enough {
            theme.nearness(share)
        } else {
            theme.faint()
        };
        let full = (share * bar_width as f64).round() as usize;
        let bar = [
            Span::styled("█".repeat(full), style),
            Span::styled("░".repeat(bar_width.saturating_sub(full)), theme.faint()),
            Span::raw(format!(" {}", value(cause, guard))),
        ];
        let name = format!("  {:<names$}", cause.cause);
        if is_wide {
            let spans = [Span::raw(name)].into_iter().chain(bar);
            vec![Line::from_iter(spans)]
        } else {
            let spans = [Span::raw("  ")].into_iter().chain(bar);
            vec![Line::from(name), Line::from_iter(spans)]
        }
    });
    lines.collect()
}

/// From 0 to 1. With a limit of 0, anything is beyond it.
fn share(value: f64, limit: f64) -> f64 {
    if limit > 0.0 {
        (value / limit).clamp(0.0, 1.0)
    } else if value > 0.0 {
        1.0
    } else {
        0.0
    }
}

fn value(cause: &CauseView, guard: &GuardView) -> String {
    let CauseView { limit, .. } = cause;
    let Some(value) = cause.value else {
        return NOTHING.to_owned();
    };
    if !cause.is_enough {
        return format!("under {} requests", guard.min_requests);
    }
    match cause.unit {
        "evidence" => format!("{value:.0} %"),
        "points" => format!("{value:+.1} of {limit} points"),
        _ => format!("{value:.1} of {limit} %"),
    }
}
