//! Feedback: what a body says about the outcomes of predictions.

use crate::analysis::quality::{Outcome, Outcomes};
use crate::json::document::Document;
use crate::json::node::Node;
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use crate::policy::feedback_endpoint::{FeedbackEndpoint, FeedbackError};
use crate::policy::policy::Policy;
use crate::value::color::Color;
use serde::Deserialize;

/// Outcomes of the predictions that one color of a rollout made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The index of the rollout.
    pub rollout: usize,
    /// The color that made the predictions.
    pub color: Color,
    /// How they turned out.
    pub outcomes: Outcomes,
}

/// A report as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
struct RawReport<'d> {
    rollout: Field<'d, ()>,
    color: Field<'d, ()>,
    tp: Field<'d, ()>,
    fp: Field<'d, ()>,
    #[serde(rename = "fn")]
    fn_: Field<'d, ()>,
    tn: Field<'d, ()>,
}

// === impl Report ===

impl Report {
    /// The most reports that are taken in one body.
    pub const MAX_ITEMS: usize = 1_000;
    /// The highest count of one kind in one report.
    pub const MAX_COUNT: u64 = 1_000_000_000;

    /// Reads a body: one report or an array of them. All is taken or nothing.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(body: &[u8], policy: &Policy) -> Result<Vec<Self>, FeedbackError> {
        if body.len() > FeedbackEndpoint::MAX_BYTES {
            return Err(FeedbackError::TooLarge);
        }
        let document =
            Document::parse(body).map_err(|error| FeedbackError::Body(error.to_string()))?;
        let mut problems = Problems::default();
        read_body(&document.root(), policy, &mut problems).ok_or_else(|| {
            let first = problems.into_kept().into_iter().next();
            FeedbackError::Body(first.map(|it| it.to_string()).unwrap_or_default())
        })
    }

    /// One report for each rollout and color, so that a batch is counted as a whole.
    pub fn sums(reports: Vec<Self>) -> Vec<Self> {
        let mut sums: Vec<Self> = Vec::new();
        for report in reports {
            let same = |sum: &&mut Self| (sum.rollout, sum.color) == (report.rollout, report.color);
            match sums.iter_mut().find(same) {
                Some(sum) => sum.outcomes.add(&report.outcomes),
                None => sums.push(report),
            }
        }
        sums
    }
}

fn read_body(root: &Node<'_>, policy: &Policy, problems: &mut Problems) -> Option<Vec<Report>> {
    if !root.is_array() {
        return Some(vec![read_report(root, policy, problems)?]);
    }
    let items = root.array(problems)?;
    if items.len() > Report::MAX_ITEMS {
        let count = items.len();
        let most = Report::MAX_ITEMS;
        root.problem(
            problems,
            format_args!("{count} items, must be at most {most}"),
        );
        return None;
    }
    let items = items.into_iter().enumerate();
    items
        .map(|(index, json)| read_report(&root.item(index, json), policy, problems))
        .collect()
}

fn read_report(node: &Node<'_>, policy: &Policy, problems: &mut Problems) -> Option<Report> {
    let before = problems.count();
    let raw: RawReport<'_> = read_object(node, problems)?;
    let rollout = raw.rollout.required_node(node, problems)?;
    let name = rollout.string(problems)?;
    let Some(index) = policy.named(&name) else {
        rollout.must_be(problems, "the name of a rollout");
        return None;
    };
    let color = raw.color.required_node(node, problems)?;
    let color = color.parse(Color::parse, problems)?;
    let mut outcomes = Outcomes::default();
    let counts = [&raw.tp, &raw.fp, &raw.fn_, &raw.tn];
    for (kind, count) in Outcome::ALL.into_iter().zip(counts) {
        if let Some(count) = count.node(node) {
            *outcomes.of_mut(kind) = count.integer(0, Report::MAX_COUNT, problems)?;
        }
    }
    (problems.count() == before).then_some(Report {
        rollout: index,
        color,
        outcomes,
    })
}
