//! What `watch` draws, on terminals of several widths. `UPDATE_SCREENS=1` writes the expected screens anew.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use bluegreen::PerColor;
use bluegreen_cli::live::event::{Event, EventKind};
use bluegreen_cli::live::view::{
    CauseView, ColorView, EnvoyView, FigureView, GuardView, Link, LiveView, NextStep,
    QualityLimitView, QualityView, RolloutView,
};
use bluegreen_cli::watch::plain;
use bluegreen_cli::watch::screen::Screen;
use bluegreen_cli::watch::theme::Theme;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

const AT_MS: u64 = 1_800_000_000_000; // 2027-01-15T08:00:00Z

fn color(weight_percent: f64, errors: f64) -> ColorView {
    ColorView {
        release: Some("2026-11".to_owned()),
        weight_percent,
        share_percent: Some(weight_percent + 0.4),
        requests_per_second: Some(weight_percent * 2.5),
        error_percent: Some(errors),
        slow_percent: Some(0.0),
        finished: 700,
        p50_ms: Some(0.0),
        p99_ms: Some(132.4),
        in_flight: Some(3),
        samples: Some(120),
        f1: Some(FigureView {
            percent: 90.55,
            low_percent: 87.1,
            high_percent: 93.0,
        }),
        precision: None,
        recall: None,
        first_chunk_p50_ms: None,
        first_chunk_p95_ms: None,
        chunks_per_second: None,
        scores: BTreeMap::new(),
    }
}

fn cause(cause: &'static str, unit: &'static str, value: f64, limit: f64) -> CauseView {
    CauseView {
        cause,
        unit,
        value: Some(value),
        limit,
        is_enough: true,
    }
}

fn ramping() -> RolloutView {
    RolloutView {
        name: "recommender".to_owned(),
        status: "ramping",
        symbol: "◌",
        stable: "blue",
        canary: "green",
        cause: None,
        step: Some(0),
        steps: Some(3),
        next: Some(NextStep {
            weight_percent: 25.0,
            earliest_in_ms: 200_000,
            latest_in_ms: Some(200_000),
            min_requests: Some(500),
            requests_seen: 123,
        }),
        waits_for: Vec::new(),
        colors: PerColor {
            blue: color(95.0, 0.2),
            green: color(5.0, 4.3),
        },
        guard: Some(GuardView {
            state: "watching",
            window_ms: 30_000,
            slow_after_ms: None,
            min_requests: 100,
            causes: vec![
                cause("error_rate", "percent", 4.3, 5.0),
                cause("error_rate_over_stable", "points", 4.1, 10.0),
                CauseView {
                    is_enough: false,
                    ..cause("slow_rate", "percent", 0.0, 20.0)
                },
                cause("errors_sequential", "evidence", 64.0, 100.0),
            ],
        }),
        quality: Some(QualityView {
            min_samples: 500,
            hold_at_percent: Some(5.0),
            limits: vec![
                QualityLimitView {
                    limit: "min_f1",
                    figure: "f1",
                    configured: 80.0,
                    floor_percent: Some(80.0),
                    verdict: Some("kept"),
                },
                QualityLimitView {
                    limit: "max_f1_drop",
                    figure: "f1",
                    configured: 1.0,
                    floor_percent: Some(89.55),
                    verdict: None,
                },
            ],
            scores: Vec::new(),
        }),
        shadow: None,
    }
}

fn rolled_back() -> RolloutView {
    let plain = ColorView {
        samples: None,
        f1: None,
        p50_ms: None,
        p99_ms: None,
        share_percent: None,
        ..color(100.0, 0.0)
    };
    RolloutView {
        name: "search".to_owned(),
        status: "rolled back",
        symbol: "✖",
        cause: Some("errors_sequential".to_owned()),
        step: None,
        steps: None,
        next: None,
        colors: PerColor {
            green: ColorView {
                weight_percent: 0.0,
                requests_per_second: Some(0.0),
                ..plain.clone()
            },
            blue: plain,
        },
        guard: None,
        quality: None,
        ..ramping()
    }
}

fn envoy(admin: &str, fingerprint: u32, rollouts: Vec<RolloutView>) -> EnvoyView {
    EnvoyView {
        admin: admin.to_owned(),
        link: Link::Up,
        why: None,
        version: Some("2026-11-23.1".to_owned()),
        fingerprint: Some(fingerprint),
        differs: false,
        rejected: 0,
        rollouts,
    }
}

fn event(second: u64, rollout: Option<&str>, kind: EventKind) -> Event {
    Event {
        at_ms: AT_MS - 60_000 + second * 1_000,
        envoys: vec!["http://10.0.0.1:9901".to_owned()],
        rollout: rollout.map(str::to_owned),
        kind,
    }
}

fn one() -> LiveView {
    let cause = Some("errors_sequential".to_owned());
    LiveView {
        at_ms: AT_MS,
        differ: false,
        envoys: vec![envoy(
            "http://10.0.0.1:9901",
            3_004_818_520,
            vec![ramping(), rolled_back()],
        )],
        events: vec![
            event(
                1,
                Some("recommender"),
                EventKind::Step {
                    step: 0,
                    steps: Some(3),
                    green_percent: 5.0,
                },
            ),
            event(8, Some("search"), EventKind::RolledBack { cause }),
            event(9, None, EventKind::ConfigRejected),
        ],
    }
}

fn several() -> LiveView {
    let mut other = envoy("http://10.0.0.2:9901", 1_044_024_895, vec![rolled_back()]);
    other.differs = true;
    let mut lost = envoy("http://10.0.0.3:9901", 3_004_818_520, vec![rolled_back()]);
    lost.link = Link::Lost;
    lost.why = Some("http://10.0.0.3:9901: no Envoy answers: connection refused".to_owned());
    let mut view = one();
    view.envoys.extend([other, lost]);
    view.differ = true;
    view
}

fn screen() -> Screen {
    Screen {
        theme: Theme { has_color: true },
        only: None,
        scroll: 0,
    }
}

fn draw(screen: &mut Screen, view: &LiveView, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal
        .draw(|frame| screen.draw(frame, view))
        .expect("a picture");
    terminal
}

fn text(terminal: &Terminal<TestBackend>) -> String {
    let buffer = terminal.backend().buffer();
    let rows = buffer.content.chunks(buffer.area.width.into());
    let row = |cells: &[ratatui::buffer::Cell]| {
        cells.iter().map(|cell| cell.symbol()).collect::<String>()
    };
    rows.map(|cells| row(cells).trim_end().to_owned() + "\n")
        .collect()
}

#[track_caller]
fn looks_like(name: &str, view: &LiveView, width: u16, height: u16) {
    let drawn = text(&draw(&mut screen(), view, width, height));
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/offline/screens")
        .join(name);
    if env::var_os("UPDATE_SCREENS").is_some() {
        fs::write(&path, &drawn).expect("a file");
    }
    let expected = fs::read_to_string(&path).expect("a file");
    assert_eq!(drawn, expected, "{drawn}");
}

#[test]
fn forty_columns() {
    looks_like("40.txt", &one(), 40, 60);
}

#[test]
fn eighty_columns() {
    looks_like("80.txt", &one(), 80, 30);
}

#[test]
fn several_envoys_side_by_side() {
    looks_like("140.txt", &several(), 140, 40);
}

#[test]
fn several_envoys_one_below_the_other() {
    looks_like("several-80.txt", &several(), 80, 40);
}

#[test]
fn what_does_not_fit_is_scrolled_to() {
    let mut screen = screen();
    let top = text(&draw(&mut screen, &one(), 80, 12));
    assert!(
        top.contains("recommender") && !top.contains("search  "),
        "{top}"
    );
    screen.scroll = u16::MAX;
    let bottom = text(&draw(&mut screen, &one(), 80, 12));
    assert!(bottom.contains("✖ search"), "{bottom}");
    assert!(screen.scroll < 40, "{}", screen.scroll);
}

#[test]
fn a_tiny_terminal_is_no_trouble() {
    for (width, height) in [(1, 1), (3, 2), (10, 4), (300, 3)] {
        draw(&mut screen(), &several(), width, height);
    }
}

#[test]
fn without_colors_there_are_none() {
    let has_color = |has_color: bool| {
        let mut screen = Screen {
            theme: Theme { has_color },
            ..screen()
        };
        let terminal = draw(&mut screen, &several(), 140, 40);
        let mut cells = terminal.backend().buffer().content.iter();
        cells.any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
    };
    assert!(has_color(true));
    assert!(!has_color(false));
}

#[test]
fn one_rollout_alone_is_shown() {
    let mut screen = Screen {
        only: Some("search".to_owned()),
        ..screen()
    };
    let drawn = text(&draw(&mut screen, &one(), 80, 30));
    assert!(
        drawn.contains("search") && !drawn.contains("recommender"),
        "{drawn}"
    );
}

#[test]
fn lines_tell_the_same() {
    assert_eq!(
        plain::begin(&several(), Some("search")),
        "08:00:00 http://10.0.0.1:9901: version 2026-11-23.1, fingerprint 3004818520\n\
         08:00:00 http://10.0.0.1:9901: search: rolled back, blue 100 %, green 0 %\n\
         08:00:00 http://10.0.0.2:9901: version 2026-11-23.1, fingerprint 1044024895, not that of the others\n\
         08:00:00 http://10.0.0.2:9901: search: rolled back, blue 100 %, green 0 %\n\
         08:00:00 http://10.0.0.3:9901: no Envoy answers: connection refused\n\
         08:00:00 http://10.0.0.3:9901: search: rolled back, blue 100 %, green 0 %\n"
    );
}
