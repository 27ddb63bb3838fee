//! What the page is told, once a second.

use crate::dashboard::board::Board;
use crate::dashboard::point::Point;
use crate::live::event::{Event, Severity};
use crate::live::view::{EnvoyView, Link, LiveView, RolloutView};
use bluegreen::Color;
use serde::Serialize;
use std::sync::Arc;

/// What the page wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The rollout that is looked at; the first where it is none, or one that is not there.
    rollout: Option<String>,
    /// The index of the Envoy whose points are wanted; none for all of them.
    envoy: Option<usize>,
    /// The last point that is known.
    since_ms: u64,
}

/// How the rollouts do.
#[derive(Debug, Serialize)]
pub struct Answer {
    at_ms: u64,
    /// The file that moves change; none where there are no moves.
    file: Option<String>,
    differ: bool,
    envoys: Vec<EnvoyLine>,
    rollouts: Vec<RolloutLine>,
    /// The last ones, the oldest first.
    events: Vec<EventLine>,
    /// The rollout that is looked at.
    rollout: Option<String>,
    /// It in each Envoy, in their order.
    views: Vec<Option<RolloutView>>,
    points: Vec<Point>,
}

#[derive(Debug, Serialize)]
struct EnvoyLine {
    admin: String,
    link: Link,
    why: Option<String>,
    version: Option<String>,
    fingerprint: Option<u32>,
    differs: bool,
    rejected: u64,
}

#[derive(Debug, Serialize)]
struct RolloutLine {
    name: String,
    status: &'static str,
    symbol: &'static str,
    green_percent: f64,
}

#[derive(Debug, Serialize)]
struct EventLine {
    #[serde(flatten)]
    event: Event,
    severity: &'static str,
    text: String,
}

const MOST_EVENTS: usize = 100;

// === impl Question ===

impl Question {
    /// Of a query such as `rollout=demo&envoy=0&since=1700000000000`.
    pub fn parse(query: &str) -> Self {
        let mut question = Self::default();
        for (name, value) in query.split('&').filter_map(|it| it.split_once('=')) {
            match name {
                "rollout" => question.rollout = Some(value.to_owned()),
                "envoy" => question.envoy = value.parse().ok(),
                "since" => question.since_ms = value.parse().unwrap_or_default(),
                _ => {}
            }
        }
        question
    }
}

// === impl Answer ===

impl Answer {
    /// To a question.
    pub fn of(board: &Board, file: Option<String>, question: &Question) -> Self {
        let view = Arc::clone(&board.shown().view);
        let rollouts = lines(&view);
        let asked = question.rollout.as_ref();
        let chosen = asked
            .and_then(|name| rollouts.iter().find(|it| it.name == *name))
            .or(rollouts.first())
            .map(|it| it.name.clone());
        let is_chosen = |it: &&RolloutView| Some(&it.name) == chosen.as_ref();
        let views = view.envoys.iter();
        let views = views.map(|envoy| envoy.rollouts.iter().find(is_chosen).cloned());
        let points = chosen.as_ref().map_or_else(Vec::new, |name| {
            // Points of another rollout are no part of this one's.
            let is_known = asked == Some(name);
            let since_ms = if is_known { question.since_ms } else { 0 };
            let shown = board.shown();
            shown.history.since(name, question.envoy, since_ms)
        });
        let skipped = view.events.len().saturating_sub(MOST_EVENTS);
        Self {
            at_ms: view.at_ms,
            file,
            differ: view.differ,
            views: views.collect(),
            envoys: view.envoys.iter().map(EnvoyLine::of).collect(),
            events: view
                .events
                .iter()
                .skip(skipped)
                .map(EventLine::of)
                .collect(),
            rollouts,
            rollout: chosen,
            points,
        }
    }
}

/// Each rollout once, in the order of the configuration: as it does in the Envoy where it does worst.
fn lines(view: &LiveView) -> Vec<RolloutLine> {
    const WORST_FIRST: [&str; 5] = [
        "rolled back",
        "paused",
        "waiting",
        "too few requests",
        "ramping",
    ];
    let rank = |status: &str| WORST_FIRST.iter().position(|it| *it == status);
    let rank = |status: &str| rank(status).unwrap_or(WORST_FIRST.len());
    let mut lines: Vec<RolloutLine> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for rollout in view.envoys.iter().flat_map(|envoy| &envoy.rollouts) {
        let line = RolloutLine::of(rollout);
        match places
            .get(&rollout.name)
            .and_then(|&place: &usize| lines.get_mut(place))
        {
            Some(present) if rank(line.status) < rank(present.status) => *present = line,
            Some(_) => {}
            None => {
                places.insert(rollout.name.clone(), lines.len());
                lines.push(line);
            }
        }
    }
    lines
}

// === impl EnvoyLine ===

impl EnvoyLine {
    fn of(envoy: &EnvoyView) -> Self {
        Self {
            admin: envoy.admin.clone(),
            link: envoy.link,
            why: envoy.why.clone(),
            version: envoy.version.clone(),
            fingerprint: envoy.fingerprint,
            differs: envoy.differs,
            rejected: envoy.rejected,
        }
    }
}

// === impl RolloutLine ===

impl RolloutLine {
    fn of(rollout: &RolloutView) -> Self {
        Self {
            name: rollout.name.clone(),
            status: rollout.status,
            symbol: rollout.symbol,
            green_percent: rollout.colors.of(Color::Green).weight_percent,
        }
    }
}

// === impl EventLine ===

impl EventLine {
    fn of(event: &Event) -> Self {
        Self {
            severity: match event.kind.severity() {
                Severity::Info => "info",
                Severity::Warning => "warning",
                Severity::Error => "error",
            },
            text: event.kind.to_string(),
            event: event.clone(),
        }
    }
}
