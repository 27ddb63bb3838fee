//! Feedback: what a body says about the outcomes and scores of predictions.

use crate::analysis::quality::Outcomes;
use crate::json::document::Document;
use crate::json::raw_fields::RawFields;
use crate::policy::feedback_endpoint::{FeedbackEndpoint, FeedbackError};
use crate::policy::feedback_explained::{MAX_REPORT_BYTES, explain};
use crate::policy::feedback_scores::good_scores;
use crate::policy::policy::Policy;
use crate::policy::report::{FeedbackId, Report};
use crate::value::color::Color;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

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
    #[serde(default, borrow, deserialize_with = "given")]
    scores: Option<RawFields<'d>>,
    #[serde(default, borrow, deserialize_with = "given")]
    release: Option<Text<'d>>,
    #[serde(default, borrow, deserialize_with = "given")]
    id: Option<Text<'d>>,
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'d>(#[serde(borrow)] Cow<'d, str>);

/// A value that is given; `null` is none.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

// === impl Report ===

impl Report {
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
            None => match whole_report(text, policy) {
                Some(report) => Ok(Some(vec![report])),
                None => {
                    let json: &RawValue = serde_json::from_str(text).map_err(|_| not_json())?;
                    explain(json.get(), None, policy).map(|report| Some(vec![report]))
                }
            },
        };
        // What is wrong with a small body that is no JSON at all is said of the whole.
        let is_small = body.len() <= MAX_REPORT_BYTES;
        match reports {
            Ok(Some(reports)) => Ok(reports),
            Err(error) if !is_small || Document::parse(body).is_ok() => Err(error),
            Ok(None) | Err(_) => Err(not_json()),
        }
    }
}

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
                (explain(item, Some(reports.len()), policy)?, after)
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

/// The report that a text is. Scores alone make one long.
fn whole_report(text: &str, policy: &Policy) -> Option<Report> {
    let text = text.trim_ascii();
    let is_short = text.len() <= MAX_REPORT_BYTES;
    if !is_short && !text.contains("\"scores\"") {
        return None;
    }
    let (report, rest) = good_report(text, policy)?;
    rest.is_empty().then_some(report)
}

/// The report with which a text begins, and what follows it.
fn good_report<'j>(json: &'j str, policy: &Policy) -> Option<(Report, &'j str)> {
    // serde would take an array for a struct too.
    let json = Some(json.trim_ascii_start()).filter(|json| json.starts_with('{'))?;
    let mut values = serde_json::Deserializer::from_str(json).into_iter::<GoodReport<'_>>();
    let raw = values.next()?.ok()?;
    let (_, rest) = json.split_at_checked(values.byte_offset())?;
    let index = policy.named(&raw.rollout)?;
    let rollout = policy.rollouts.get(index).filter(|it| it.measures())?;
    let color = Color::from_bytes(raw.color.as_bytes())?;
    let [tp, fp, fn_, tn] = [raw.tp, raw.fp, raw.fn_, raw.tn];
    let is_allowed = [tp, fp, fn_, tn]
        .into_iter()
        .all(|count| count <= Report::MAX_COUNT);
    let mut report = Report::new(index, color, Outcomes { tp, fp, fn_, tn });
    if let Some(RawFields(fields)) = raw.scores {
        report.scores = good_scores(fields, rollout)?;
    }
    if let Some(Text(id)) = raw.id {
        report.id = Some(FeedbackId::new(&rollout.name, &id)?);
    }
    let other = raw
        .release
        .and_then(|Text(it)| Report::other_release(rollout, color, &it));
    (is_allowed && other.is_none()).then_some((report, rest))
}
