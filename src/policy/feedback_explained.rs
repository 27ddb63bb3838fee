//! Feedback with which something is wrong: what, and where.

use crate::analysis::quality::{Outcome, Outcomes};
use crate::json::document::Document;
use crate::json::node::Node;
use crate::json::object::read_fields;
use crate::json::path::Path;
use crate::json::problems::Problems;
use crate::policy::feedback_endpoint::FeedbackError;
use crate::policy::feedback_scores::explained_scores;
use crate::policy::policy::Policy;
use crate::policy::report::{FeedbackId, Report};
use crate::value::color::Color;

/// What is wrong with a report is looked for in one that is not longer.
pub const MAX_REPORT_BYTES: usize = 4_096;

/// Whether a report is about the release in force, as far as it says so.
enum Release {
    InForce,
    Other,
}

/// Reads a report with which something is wrong, and which is the item of this index where there are several.
pub fn explain(json: &str, index: Option<usize>, policy: &Policy) -> Result<Report, FeedbackError> {
    let mut problems = Problems::default();
    let mut release = Release::InForce;
    if let Some(report) = explained_report(json, index, policy, &mut release, &mut problems) {
        return Ok(report);
    }
    let first = problems.into_kept().into_iter().next();
    let message = first.map(|it| it.to_string()).unwrap_or_default();
    Err(match release {
        Release::InForce => FeedbackError::Invalid(message),
        Release::Other => FeedbackError::OtherRelease(message),
    })
}

fn explained_report(
    json: &str,
    index: Option<usize>,
    policy: &Policy,
    release: &mut Release,
    problems: &mut Problems,
) -> Option<Report> {
    let path = index.map_or(Path::ROOT, |index| Path::ROOT.item(index));
    let length = json.len();
    if length > MAX_REPORT_BYTES {
        let message = format_args!(
            "something is wrong, and what is not said of {length} bytes, must be at most {MAX_REPORT_BYTES}"
        );
        problems.push(&path, message);
        return None;
    }
    match Document::parse(json.as_bytes()) {
        Ok(document) => explained_fields(&document.root().at(path), policy, release, problems),
        Err(invalid) => {
            problems.push(&path, invalid);
            None
        }
    }
}

fn explained_fields(
    node: &Node<'_>,
    policy: &Policy,
    release: &mut Release,
    problems: &mut Problems,
) -> Option<Report> {
    const KNOWN: [&str; 9] = [
        "rollout", "color", "tp", "fp", "fn", "tn", "scores", "release", "id",
    ];
    let before = problems.count();
    let fields = read_fields(node, &KNOWN, problems)?;
    let name = fields.required("rollout", node, problems)?;
    let Some(index) = policy.named(&name.string(problems)?) else {
        name.must_be(problems, "the name of a rollout");
        return None;
    };
    let rollout = policy.rollouts.get(index)?;
    if !rollout.measures() {
        name.must_be(problems, Report::MEASURED);
        return None;
    }
    let color = fields.required("color", node, problems)?;
    let color = color.parse(Color::parse, problems)?;
    let mut report = Report::new(index, color, Outcomes::default());
    for kind in Outcome::ALL {
        if let Some(count) = fields.optional(kind.as_str(), node) {
            *report.outcomes.of_mut(kind) = count.integer(0, Report::MAX_COUNT, problems)?;
        }
    }
    if let Some(scores) = fields.optional("scores", node) {
        report.scores = explained_scores(&scores, rollout, problems)?;
    }
    if let Some(id) = fields.optional("id", node) {
        report.id = FeedbackId::new(&rollout.name, &id.string(problems)?);
        if report.id.is_none() {
            id.must_be(problems, FeedbackId::MUST_BE);
        }
    }
    if problems.count() > before {
        return None;
    }
    if let Some(label) = fields.optional("release", node) {
        let other = Report::other_release(rollout, color, &label.string(problems)?);
        if let Some(message) = other {
            label.problem(problems, message);
            *release = Release::Other;
            return None;
        }
    }
    Some(report)
}
