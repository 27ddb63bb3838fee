//! The feedback endpoint: who tells how predictions turned out, and what is taken of it.

use crate::analysis::quality::{Outcome, Outcomes};
use crate::assign::permission::Permission;
use crate::error::{ConfigError, Problem};
use crate::node::{Document, Node};
use crate::policy::policy::Policy;
use crate::request::headers::Headers;
use crate::value::color::Color;
use json_event_parser::{JsonEvent, WriterJsonSerializer};
use std::fmt;

/// Where feedback is taken, and from whom.
#[derive(Clone, Debug)]
pub struct Feedback {
    /// The path, without query.
    pub path: String,
    /// What a request must bring.
    pub require: Permission,
}

/// Outcomes that were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The index of the rollout.
    pub rollout: usize,
    /// The color that made the predictions.
    pub color: Color,
    /// How they turned out.
    pub outcomes: Outcomes,
}

/// Why feedback was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// Something in the body is wrong: 400.
    Body(String),
    /// It may not be told by this client: 403.
    Forbidden,
    /// It was not told by `POST`: 405.
    Method,
    /// The body is too large: 413.
    TooLarge,
}

// === impl Feedback ===

impl Feedback {
    /// The largest body that is taken.
    pub const MAX_BYTES: usize = 65_536;
    /// The most items that are taken in one body.
    pub const MAX_ITEMS: usize = 1_000;
    /// The highest count of one kind in one item.
    pub const MAX_COUNT: u64 = 1_000_000_000;

    /// Whether a request is feedback.
    pub fn is_at(&self, path: &[u8]) -> bool {
        path.strip_prefix(self.path.as_bytes())
            .is_some_and(|rest| matches!(rest, [] | [b'?', ..]))
    }

    /// # Errors
    /// Where a request for this endpoint is refused before its body is read.
    pub fn admit(&self, headers: &Headers<'_>) -> Result<(), Refusal> {
        if headers.first(":method") != Some(b"POST") {
            return Err(Refusal::Method);
        }
        if !self.require.allows(headers) {
            return Err(Refusal::Forbidden);
        }
        let length = headers.first("content-length");
        let length = length.and_then(|it| std::str::from_utf8(it).ok()?.parse().ok());
        if length.is_some_and(|length: usize| length > Self::MAX_BYTES) {
            return Err(Refusal::TooLarge);
        }
        Ok(())
    }

    /// Reads a body: one report or an array of them. All is taken or nothing.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(body: &[u8], policy: &Policy) -> Result<Vec<Report>, Refusal> {
        if body.len() > Self::MAX_BYTES {
            return Err(Refusal::TooLarge);
        }
        let refused = |error: ConfigError| Refusal::Body(error.to_string());
        let document = Document::parse(body).map_err(refused)?;
        let root = document.root();
        if !root.is_array() {
            let report = report(&root, policy).map_err(refused)?;
            return Ok(vec![report]);
        }
        let items = root.array().map_err(refused)?;
        if items.len() > Self::MAX_ITEMS {
            return Err(refused(root.error(Problem::FeedbackItems(items.len()))));
        }
        let reports = items.iter().map(|item| report(item, policy));
        reports.collect::<Result<_, _>>().map_err(refused)
    }

    /// One report for each rollout and color, so that no judge meets half of a batch.
    pub fn sums(reports: Vec<Report>) -> Vec<Report> {
        let mut sums: Vec<Report> = Vec::new();
        for report in reports {
            let same =
                |sum: &&mut Report| (sum.rollout, sum.color) == (report.rollout, report.color);
            match sums.iter_mut().find(same) {
                Some(sum) => sum.outcomes.add(&report.outcomes),
                None => sums.push(report),
            }
        }
        sums
    }
}

fn report(node: &Node<'_>, policy: &Policy) -> Result<Report, ConfigError> {
    let fields = node.object(&["rollout", "color", "tp", "fp", "fn", "tn"])?;
    let name = fields.required("rollout")?;
    let rollout = policy.named(name.string()?);
    let rollout = rollout.ok_or_else(|| name.error(Problem::NoRollout(name.text())))?;
    let color = fields.required("color")?.parse(Color::parse)?;
    let mut outcomes = Outcomes::default();
    for kind in Outcome::ALL {
        if let Some(node) = fields.optional(kind.as_str()) {
            *outcomes.of_mut(kind) = node.integer(0, Feedback::MAX_COUNT)?;
        }
    }
    Ok(Report {
        rollout,
        color,
        outcomes,
    })
}

// === impl Refusal ===

impl Refusal {
    /// The response's status.
    pub const fn status(&self) -> u32 {
        match self {
            Self::Body(_) => 400,
            Self::Forbidden => 403,
            Self::Method => 405,
            Self::TooLarge => 413,
        }
    }

    /// The response's body: `{"error": "…"}`.
    pub fn to_json(&self) -> Vec<u8> {
        let events = [
            JsonEvent::StartObject,
            JsonEvent::ObjectKey("error".into()),
            JsonEvent::String(self.to_string().into()),
            JsonEvent::EndObject,
        ];
        let mut writer = WriterJsonSerializer::new(Vec::new());
        for event in events {
            // Writing to memory does not fail.
            let _ = writer.serialize_event(event);
        }
        writer.finish().unwrap_or_default()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(problem) => f.write_str(problem),
            Self::Forbidden => f.write_str("this client may not give feedback"),
            Self::Method => f.write_str("feedback is given by POST"),
            Self::TooLarge => write!(f, "the body is larger than {} bytes", Feedback::MAX_BYTES),
        }
    }
}
