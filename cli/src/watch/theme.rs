//! How things look.

use crate::live::event::Severity;
use ratatui::style::{Color, Modifier, Style};

/// With colors or without.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Whether there are colors.
    pub has_color: bool,
}

// === impl Theme ===

impl Theme {
    /// As it should be.
    pub fn good(self) -> Style {
        self.fore(Color::Green)
    }

    /// Someone may want to know.
    pub fn warning(self) -> Style {
        self.fore(Color::Yellow)
    }

    /// Someone has to look.
    pub fn bad(self) -> Style {
        self.fore(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// The name of something.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is read second.
    pub fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The name of a color.
    pub fn color(self, color: bluegreen::Color) -> Style {
        self.fore(match color {
            bluegreen::Color::Blue => Color::LightBlue,
            bluegreen::Color::Green => Color::Green,
        })
    }

    /// How far a rollout is, by the words of `status`.
    pub fn status(self, status: &str) -> Style {
        match status {
            "rolled back" => self.bad(),
            "healthy" => self.good(),
            "paused" | "waiting" => self.warning(),
            _ => self.fore(Color::Cyan),
        }
    }

    /// An event.
    pub fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Info => Style::new(),
            Severity::Warning => self.warning(),
            Severity::Error => self.bad(),
        }
    }

    /// How near a limit is: 1 is there.
    pub fn nearness(self, share: f64) -> Style {
        match share {
            ..0.5 => self.good(),
            ..0.8 => self.warning(),
            _ => self.bad(),
        }
    }

    fn fore(self, color: Color) -> Style {
        if self.has_color {
            Style::new().fg(color)
        } else {
            Style::new()
        }
    }
}
