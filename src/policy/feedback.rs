//! Feedback: what a body says about the outcomes of predictions.

use crate::analysis::quality::{Outcome, Outcomes};
use crate::json::document::Document;
use crate::json::node::Node;
use crate::json::object::read_fields;
use crate::json::path::Path;
use crate::json::problems::Problems;
use crate::policy::feedback_endpoint::{FeedbackEndpoint, FeedbackError};
use crate::policy::policy::Policy;
use crate::value::color::{Color, PerColor};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

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

/// A report as it is written, read at once where nothing is wrong with it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoodReport<'d> {
    #[serde(borrow)]
    rollout: Cow<'d, str>,
    #[serde(borrow)]
    color: Cow<'d, str>,
    #[serde(default)]
    tp: u64,
    #[serde(default)]
    fp: u64,
    #[serde(default, rename = "fn")]
    fn_: u64,
    #[serde(default)]
    tn: u64,
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
        let not_json = || {
            let invalid = Document::parse(body).err();
            FeedbackError::Invalid(invalid.map(|it| it.to_string()).unwrap_or_default())
        };
        let text = std::str::from_utf8(body).map_err(|_| not_json())?;
        let reports = match text.trim_ascii_start().strip_prefix('[') {
            Some(rest) => read_items(rest, policy),
            None => {
                let json: &RawValue = serde_json::from_str(text).map_err(|_| not_json())?;
                read_report(json.get(), None, policy).map(|report| Some(vec![report]))
            }
        };
        // What is wrong with a small body that is no JSON at all is said of the whole.
        let is_small = body.len() <= MAX_REPORT_BYTES;
        match reports {
            Ok(Some(reports)) => Ok(reports),
            Err(error) if !is_small || Document::parse(body).is_ok() => Err(error),
            Ok(None) | Err(_) => Err(not_json()),
        }
    }

    /// One report for each rollout and color, so that a batch is counted as a whole.
    pub fn sums(reports: Vec<Self>) -> Vec<Self> {
        let mut places: Vec<PerColor<Option<usize>>> = Vec::new();
        let mut sums: Vec<Self> = Vec::new();
        for report in reports {
            if places.len() <= report.rollout {
                places.resize_with(report.rollout.saturating_add(1), PerColor::default);
            }
            let place = places
                .get_mut(report.rollout)
                .map(|it| it.of_mut(report.color));
            let known = place.and_then(|place| place.replace(place.unwrap_or(sums.len())));
            match known.and_then(|known| sums.get_mut(known)) {
                Some(sum) => sum.outcomes.add(&report.outcomes),
                None => sums.push(report),
            }
        }
        sums
    }
}

/// No report is longer, however it is indented.
const MAX_REPORT_BYTES: usize = 4_096;

/// Reads what follows the first bracket of an array. None where something follows the last one.
fn read_items(mut rest: &str, policy: &Policy) -> Result<Option<Vec<Report>>, FeedbackError> {
    let mut reports = Vec::new();
    let mut end = end_of_array(rest);
    while end.is_none() {
        if reports.len() == Report::MAX_ITEMS {
            let most = Report::MAX_ITEMS;
            let message = format!("more than {most} items, must be at most {most}");
            return Err(FeedbackError::Invalid(message));
        }
        let (report, after) = match good_report(rest, policy) {
            Some(good) => good,
            None => {
                let (item, after) = rest
                    .split_at_checked(item_length(rest))
                    .unwrap_or((rest, ""));
                (read_report(item, Some(reports.len()), policy)?, after)
            }
        };
        reports.push(report);
        end = end_of_array(after);
        let after = after.trim_ascii_start();
        rest = after.strip_prefix(',').unwrap_or_default();
    }
    Ok(end.filter(|is_whole| *is_whole).map(|_| reports))
}

/// Whether an array ends here, and if so, whether nothing follows it. What is neither its end nor a comma ends it
/// badly.
fn end_of_array(rest: &str) -> Option<bool> {
    match rest.trim_ascii_start().as_bytes() {
        [b']', after @ ..] => Some(after.trim_ascii().is_empty()),
        _ => None,
    }
}

/// How long the first item of the rest of an array is.
fn item_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut is_string = false;
    let mut is_escaped = false;
    let ends = |byte: u8| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            _ if is_string => {}
            b'[' | b'{' => depth = depth.saturating_add(1),
            b',' | b']' if depth == 0 => return true,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        false
    };
    rest.bytes().position(ends).unwrap_or(rest.len())
}

/// Reads a report, which is the item of this index where there are several.
fn read_report(json: &str, index: Option<usize>, policy: &Policy) -> Result<Report, FeedbackError> {
    if json.len() <= MAX_REPORT_BYTES
        && let Some((report, "")) = good_report(json, policy)
    {
        return Ok(report);
    }
    let mut problems = Problems::default();
    if let Some(report) = explained_report(json, index, policy, &mut problems) {
        return Ok(report);
    }
    let first = problems.into_kept().into_iter().next();
    let message = first.map(|it| it.to_string()).unwrap_or_default();
    Err(FeedbackError::Invalid(message))
}

/// The report with which a text begins, and what follows it.
fn good_report<'j>(json: &'j str, policy: &Policy) -> Option<(Report, &'j str)> {
    // serde would take an array for a struct too.
    let json = Some(json.trim_ascii_start()).filter(|json| json.starts_with('{'))?;
    // No name of a rollout or color has a bracket.
    let length = memchr::memchr(b'}', json.as_bytes())?.checked_add(1)?;
    let (json, rest) = json.split_at_checked(length)?;
    let raw: GoodReport<'_> = serde_json::from_str(json).ok()?;
    let GoodReport {
        rollout,
        color,
        tp,
        fp,
        fn_,
        tn,
    } = raw;
    let is_allowed = [tp, fp, fn_, tn]
        .into_iter()
        .all(|count| count <= Report::MAX_COUNT);
    let report = Report {
        rollout: policy.named(&rollout)?,
        color: Color::from_bytes(color.as_bytes())?,
        outcomes: Outcomes { tp, fp, fn_, tn },
    };
    is_allowed.then_some((report, rest))
}

fn explained_report(
    json: &str,
    index: Option<usize>,
    policy: &Policy,
    problems: &mut Problems,
) -> Option<Report> {
    let path = index.map_or(Path::ROOT, |index| Path::ROOT.item(index));
    let length = json.len();
    if length > MAX_REPORT_BYTES {
        let message = format_args!("{length} bytes, must be at most {MAX_REPORT_BYTES}");
        problems.push(&path, message);
        return None;
    }
    match Document::parse(json.as_bytes()) {
        Ok(document) => explained_fields(&document.root().at(path), policy, problems),
        Err(invalid) => {
            problems.push(&path, invalid);
            None
        }
    }
}

fn explained_fields(node: &Node<'_>, policy: &Policy, problems: &mut Problems) -> Option<Report> {
    const KNOWN: [&str; 6] = ["rollout", "color", "tp", "fp", "fn", "tn"];
    let before = problems.count();
    let fields = read_fields(node, &KNOWN, problems)?;
    let rollout = fields.required("rollout", node, problems)?;
    let name = rollout.string(problems)?;
    let Some(index) = policy.named(&name) else {
        rollout.must_be(problems, "the name of a rollout");
        return None;
    };
    let color = fields.required("color", node, problems)?;
    let color = color.parse(Color::parse, problems)?;
    let mut outcomes = Outcomes::default();
    for kind in Outcome::ALL {
        if let Some(count) = fields.optional(kind.as_str(), node) {
            *outcomes.of_mut(kind) = count.integer(0, Report::MAX_COUNT, problems)?;
        }
    }
    (problems.count() == before).then_some(Report {
        rollout: index,
        color,
        outcomes,
    })
}
