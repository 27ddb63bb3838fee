//! One Envoy, as lines of a terminal.

use crate::live::view::{ColorView, EnvoyView, FigureView, Link, QualityView, RolloutView};
use crate::watch::bars;
use crate::watch::flow::flow;
use crate::watch::theme::Theme;
use crate::watch::units::{count, ms, next, per_second, percent};
use bluegreen::Color;
use ratatui::text::{Line, Span};

/// From this width on each color has a line of its own; below, a column.
const WIDE: usize = 78;
const NAME: usize = 14;
const CELL: usize = 11;

/// Lines of at most this width. `only` names one rollout.
pub fn lines(
    envoy: &EnvoyView,
    only: Option<&str>,
    width: usize,
    theme: Theme,
) -> Vec<Line<'static>> {
    let mut lines = head(envoy, width, theme);
    let is_wanted = |name: &str| only.is_none_or(|only| only == name);
    let rollouts: Vec<_> = envoy
        .rollouts
        .iter()
        .filter(|it| is_wanted(&it.name))
        .collect();
    if let (Link::Up, [], Some(_)) = (envoy.link, rollouts.as_slice(), envoy.fingerprint) {
        let none = only.map_or_else(
            || "no rollouts".to_owned(),
            |only| format!("no rollout {only:?}"),
        );
        lines.push(Line::styled(none, theme.warning()));
    }
    let known = rollouts
        .into_iter()
        .flat_map(|it| rollout_lines(it, width, theme));
    if envoy.link == Link::Lost {
        lines.extend(known.map(|line| line.patch_style(theme.faint())));
    } else {
        lines.extend(known);
    }
    lines
}

fn head(envoy: &EnvoyView, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let address = envoy.admin.strip_prefix("http://").unwrap_or(&envoy.admin);
    let mut pieces = vec![Span::styled(address.to_owned(), theme.strong())];
    match envoy.link {
        Link::Unknown => pieces.push(Span::styled("not asked yet", theme.faint())),
        Link::Lost => {
            let why = envoy.why.as_deref().unwrap_or_default();
            let why = why.strip_prefix(&envoy.admin).unwrap_or(why);
            let why = why.trim_start_matches(": ").to_owned();
            pieces.push(Span::styled(format!("✖ {why}"), theme.bad()));
        }
        Link::Up if envoy.fingerprint.is_none() => {
            pieces.push(Span::styled(
                "✖ without the filter: its log says why",
                theme.bad(),
            ));
        }
        Link::Up => {
            pieces.extend(
                envoy
                    .version
                    .iter()
                    .map(|it| Span::raw(format!("version {it}"))),
            );
            let fingerprint = envoy
                .fingerprint
                .map_or_else(String::new, |it| it.to_string());
            let style = if envoy.differs {
                theme.warning()
            } else {
                theme.faint()
            };
            let mark = if envoy.differs { "≠ " } else { "" };
            pieces.push(Span::styled(
                format!("{mark}fingerprint {fingerprint}"),
                style,
            ));
        }
    }
    flow(pieces, width, 2)
}

fn rollout_lines(rollout: &RolloutView, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let style = theme.status(rollout.status);
    let mut pieces = vec![
        Span::styled(
            format!("{} {}", rollout.symbol, rollout.name),
            style.patch(theme.strong()),
        ),
        Span::styled(rollout.status, style),
    ];
    pieces.extend(
        rollout
            .cause
            .iter()
            .map(|cause| Span::styled(cause.clone(), style)),
    );
    if let Some(steps) = rollout.steps {
        let step = rollout.step.map_or(0, |step| step.saturating_add(1));
        pieces.push(Span::raw(format!("step {step} of {steps}")));
    }
    if let Some(step) = &rollout.next {
        pieces.push(Span::raw(next(step)));
        if let Some(min) = step.min_requests {
            let seen = step.requests_seen.min(min);
            pieces.push(Span::raw(format!("{seen} of {min} requests seen")));
        }
    }
    if !rollout.waits_for.is_empty() {
        let waits_for = format!("waits: {}", rollout.waits_for.join(", "));
        pieces.push(Span::styled(waits_for, theme.warning()));
    }
    let mut lines = flow(pieces, width, 2);
    if width >= WIDE {
        lines.extend(by_line(rollout, theme));
    } else {
        lines.extend(by_column(rollout, theme));
    }
    lines.extend(quality_lines(rollout, width, theme));
    if let Some(guard) = &rollout.guard {
        lines.extend(bars::lines(guard, width, theme));
    }
    lines.push(Line::default());
    lines
}

/// Titles and figures of both colors.
fn figures(rollout: &RolloutView) -> [(&'static str, [String; 2]); 7] {
    let limit = rollout.guard.iter().flat_map(|it| &it.causes);
    let limit = limit
        .filter(|it| it.cause == "error_rate")
        .map(|it| it.limit)
        .next();
    let of = |show: &dyn Fn(Color, &ColorView) -> String| {
        Color::ALL.map(|color| show(color, rollout.colors.of(color)))
    };
    let errors = |color: Color, it: &ColorView| {
        let limit = limit.filter(|_| color.as_str() == rollout.canary);
        let limit = limit.map_or_else(String::new, |limit| format!(" of {limit}"));
        percent(it.error_percent).replace(" %", &format!("{limit} %"))
    };
    [
        ("weight", of(&|_, it| format!("{} %", it.weight_percent))),
        ("share", of(&|_, it| percent(it.share_percent))),
        ("req/s", of(&|_, it| per_second(it.requests_per_second))),
        ("errors", of(&errors)),
        ("p50", of(&|_, it| ms(it.p50_ms))),
        ("p99", of(&|_, it| ms(it.p99_ms))),
        ("in flight", of(&|_, it| count(it.in_flight))),
    ]
}

fn by_line(rollout: &RolloutView, theme: Theme) -> Vec<Line<'static>> {
    let figures = figures(rollout);
    let widths = [8, 8, 8, 12, 9, 9, 10];
    let title = |((title, _), width): (&(&str, _), usize)| format!("{title:>width$}");
    let titles: String = figures.iter().zip(widths).map(title).collect();
    let mut lines = vec![Line::styled(
        format!("{}{titles}", " ".repeat(NAME)),
        theme.faint(),
    )];
    for (index, color) in Color::ALL.into_iter().enumerate() {
        let cell = |((_, cells), width): (&(_, [String; 2]), usize)| {
            let cell = cells.get(index).map_or("", String::as_str);
            format!("{cell:>width$}")
        };
        let cells: String = figures.iter().zip(widths).map(cell).collect();
        lines.push(Line::from(vec![
            color_name(rollout, color, theme),
            Span::raw(cells),
        ]));
    }
    lines
}

fn by_column(rollout: &RolloutView, theme: Theme) -> Vec<Line<'static>> {
    let name =
        |color: Color| Span::styled(format!("{:>CELL$}", color.as_str()), theme.color(color));
    let [blue, green] = Color::ALL.map(name);
    let mut lines = vec![Line::from(vec![Span::raw(" ".repeat(CELL)), blue, green])];
    let roles = Color::ALL.map(|color| role(rollout, color).to_owned());
    let rows = [("role", roles)].into_iter().chain(figures(rollout));
    for (title, [blue, green]) in rows {
        lines.push(Line::from(vec![
            Span::styled(format!("  {title:<9}"), theme.faint()),
            Span::raw(format!("{blue:>CELL$}{green:>CELL$}")),
        ]));
    }
    lines
}

fn role(rollout: &RolloutView, color: Color) -> &'static str {
    if color.as_str() == rollout.stable {
        "stable"
    } else {
        "canary"
    }
}

fn color_name(rollout: &RolloutView, color: Color, theme: Theme) -> Span<'static> {
    let name = format!("  {:<5} {}", color.as_str(), role(rollout, color));
    Span::styled(format!("{name:<NAME$}"), theme.color(color))
}

fn quality_lines(rollout: &RolloutView, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let quality = rollout.quality.as_ref();
    let all = Color::ALL.into_iter().flat_map(|color| {
        let view = rollout.colors.of(color);
        let Some(samples) = view.samples else {
            return Vec::new();
        };
        let mut pieces = vec![
            Span::styled(format!("  F1 {:<5}", color.as_str()), theme.color(color)),
            Span::raw(view.f1.map_or_else(|| "-".to_owned(), interval)),
        ];
        let needed = quality
            .map(|it| it.min_samples)
            .filter(|&min| samples < min);
        let needed = needed.map_or_else(String::new, |min| format!(" of {min}"));
        pieces.push(Span::raw(format!("{samples}{needed} samples")));
        if color.as_str() == rollout.canary {
            pieces.extend(quality.into_iter().flat_map(|it| limits(it, view, theme)));
        }
        flow(pieces, width, 4)
    });
    all.collect()
}

fn interval(figure: FigureView) -> String {
    let FigureView {
        percent,
        low_percent,
        high_percent,
    } = figure;
    format!("{percent:.1} % ({low_percent:.1} to {high_percent:.1})")
}

/// The lowest that each limit allows.
fn limits(quality: &QualityView, view: &ColorView, theme: Theme) -> Vec<Span<'static>> {
    let limits = quality.limits.iter().map(|limit| {
        let figure = match limit.figure {
            "precision" => view.precision,
            "recall" => view.recall,
            _ => view.f1,
        };
        let floor = limit
            .floor_percent
            .filter(|&floor| floor != limit.configured);
        let floor = floor.map_or_else(String::new, |it| format!(" (≥ {it:.1} %)"));
        let verdict = limit
            .verdict
            .map_or_else(String::new, |it| format!(" {it}"));
        let is_below = figure
            .zip(limit.floor_percent)
            .is_some_and(|(it, floor)| it.percent < floor);
        let style = match limit.verdict {
            Some("broken") => theme.bad(),
            Some("kept") => theme.good(),
            _ if is_below => theme.warning(),
            _ => theme.faint(),
        };
        Span::styled(
            format!("{} {}{floor}{verdict}", limit.limit, limit.configured),
            style,
        )
    });
    limits.collect()
}
