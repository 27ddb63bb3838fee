//! What is live, on a whole terminal.

use crate::clock::show_clock;
use crate::live::event::Event;
use crate::live::view::LiveView;
use crate::watch::flow::wrap;
use crate::watch::panel;
use crate::watch::theme::Theme;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Paragraph;

/// What the user has chosen.
#[derive(Clone, Debug)]
pub struct Screen {
    /// With colors or without.
    pub theme: Theme,
    /// This rollout alone.
    pub only: Option<String>,
    /// How many lines are above the window.
    pub scroll: u16,
}

/// Several Envoys are side by side where each has so much room.
const COLUMN: u16 = 44;
const GAP: u16 = 2;

// === impl Screen ===

impl Screen {
    /// Draws it. Scrolling ends where there is no more to see.
    pub fn draw(&mut self, frame: &mut Frame<'_>, view: &LiveView) {
        let area = frame.area();
        let events = self.event_lines(view, area.width);
        let room = (area.height / 4).max(3);
        let event_rows = u16::try_from(events.len()).unwrap_or(room).min(room);
        let title_rows = if event_rows > 0 { 1 } else { 0 };
        let [head, body, title, bottom] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(title_rows),
            Constraint::Length(event_rows),
        ])
        .areas(area);
        let is_cut = self.draw_envoys(frame, body, view);
        frame.render_widget(self.head(view, is_cut, area.width), head);
        frame.render_widget(Line::styled("events", self.theme.faint()), title);
        let above = events.len().saturating_sub(event_rows.into());
        let last: Vec<Line<'_>> = events.into_iter().skip(above).collect();
        frame.render_widget(Paragraph::new(last), bottom);
    }

    fn head(&self, view: &LiveView, is_cut: bool, width: u16) -> Line<'static> {
        let mut spans = vec![Span::styled(
            show_clock(view.at_ms) + " UTC",
            self.theme.faint(),
        )];
        if view.differ {
            let text = if width < 80 {
                "configs differ"
            } else {
                "these Envoys have different configurations in force"
            };
            spans.push(Span::styled(format!("  ≠ {text}"), self.theme.warning()));
        }
        let keys = if is_cut { "↑↓ q" } else { "q quits" };
        spans.push(Span::styled(format!("  {keys}"), self.theme.faint()));
        Line::from(spans)
    }

    /// Whether there is more than fits.
    fn draw_envoys(&mut self, frame: &mut Frame<'_>, area: Rect, view: &LiveView) -> bool {
        let fitting = (area.width + GAP) / (COLUMN + GAP);
        let count = u16::try_from(view.envoys.len()).unwrap_or(u16::MAX);
        let columns = count.min(fitting).max(1);
        let areas = Layout::horizontal(vec![Constraint::Fill(1); columns.into()])
            .spacing(GAP)
            .split(area);
        let mut texts = Vec::new();
        for (column, area) in areas.iter().enumerate() {
            let envoys = view.envoys.iter().skip(column).step_by(columns.into());
            let lines = envoys.flat_map(|envoy| {
                panel::lines(envoy, self.only.as_deref(), area.width.into(), self.theme)
            });
            texts.push((Text::from_iter(lines), *area));
        }
        let longest = texts.iter().map(|(text, _)| text.height()).max();
        let beyond = longest
            .unwrap_or_default()
            .saturating_sub(area.height.into());
        let beyond = u16::try_from(beyond).unwrap_or(u16::MAX);
        self.scroll = self.scroll.min(beyond);
        for (text, area) in texts {
            frame.render_widget(Paragraph::new(text).scroll((self.scroll, 0)), area);
        }
        beyond > 0
    }

    fn event_lines(&self, view: &LiveView, width: u16) -> Vec<Line<'static>> {
        let is_wanted = |event: &&Event| match (&self.only, &event.rollout) {
            (Some(only), Some(rollout)) => only == rollout,
            _ => true,
        };
        let events = view.events.iter().filter(is_wanted);
        let lines = events.flat_map(|event| {
            let style = self.theme.severity(event.kind.severity());
            let mut lines = wrap(&event.to_string(), style, width.into(), 9);
            let place = who(event, view).filter(|_| width >= 60);
            if let (Some(last), Some(place)) = (lines.last_mut(), place) {
                last.push_span(Span::styled(format!("  [{place}]"), self.theme.faint()));
            }
            lines
        });
        lines.collect()
    }
}

/// In which Envoys it happened, where that is not all of them.
fn who(event: &Event, view: &LiveView) -> Option<String> {
    let all = view.envoys.len();
    match event.envoys.as_slice() {
        _ if all < 2 => None,
        [one] => Some(one.trim_start_matches("http://").to_owned()),
        some if some.len() == all => Some("all".to_owned()),
        some => Some(format!("{} of {all}", some.len())),
    }
}
