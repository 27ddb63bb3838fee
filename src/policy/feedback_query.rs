//! Feedback whose counts and scores are in the query.

use crate::analysis::quality::{Outcome, Outcomes, Quality};
use crate::analysis::score_sum::ScoreSum;
use crate::json::found::Found;
use crate::policy::feedback_endpoint::FeedbackError;
use crate::policy::feedback_scores::{SCORE, index_of, unknown};
use crate::policy::policy::Policy;
use crate::policy::report::{FeedbackId, Report};
use crate::policy::rollout::Rollout;
use crate::request::query::{Encoded, form_pairs};
use crate::value::color::Color;
use crate::value::decimal::Micro;
use std::fmt::Display;

/// The parameters of a report, but for those of scores.
const KNOWN: [&str; 8] = ["rollout", "color", "tp", "fp", "fn", "tn", "release", "id"];

/// What the parameter of a score begins with; its name follows.
const SCORE_PREFIX: &str = "score.";

/// The name of a parameter.
enum Name {
    /// One of [`KNOWN`].
    Known(&'static str),
    /// That of this score.
    Score(String),
}

/// No parameter is longer, and no message shows more of one.
const MAX_BYTES: usize = 1_500;

/// The parameters that have come so far.
#[derive(Default)]
struct Parameters {
    rollout: Option<usize>,
    color: Option<Color>,
    counts: [Option<u64>; 4],
    release: Option<String>,
    id: Option<String>,
    scores: Vec<(String, String)>,
}

// === impl Report ===

impl Report {
    /// Whether a query has a parameter of a report. Beside a body, a query may be about something else.
    pub fn is_in_query(query: &[u8]) -> bool {
        form_pairs(query).any(|(name, _)| known(name).is_some())
    }

    /// Reads a query, such as `rollout=recommender&color=green&tp=3`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read_query(query: &[u8], policy: &Policy) -> Result<Self, FeedbackError> {
        let mut parameters = Parameters::default();
        for (name, value) in form_pairs(query) {
            let Some(known) = known(name) else {
                let name = Found::name(&text(name));
                let known = KNOWN.join(", ");
                return Err(wrong(format_args!(
                    "{name}: unknown parameter, must be one of {known} and score.NAME"
                )));
            };
            match known {
                Name::Known(name) => parameters.take(name, &text(value), policy)?,
                Name::Score(name) => parameters.take_score(name, text(value))?,
            }
        }
        let missing = |name| wrong(format_args!("{name} is missing, must be given"));
        let rollout = parameters.rollout.ok_or_else(|| missing("rollout"))?;
        let color = parameters.color.ok_or_else(|| missing("color"))?;
        let mut report = Self::new(rollout, color, Outcomes::default());
        for (kind, count) in Outcome::ALL.into_iter().zip(parameters.counts) {
            *report.outcomes.of_mut(kind) = count.unwrap_or(0);
        }
        match policy.rollouts.get(rollout) {
            Some(rollout) => parameters.complete(report, rollout),
            None => Err(missing("rollout")),
        }
    }
}

// === impl Parameters ===

impl Parameters {
    fn take(
        &mut self,
        name: &'static str,
        value: &str,
        policy: &Policy,
    ) -> Result<(), FeedbackError> {
        match name {
            "rollout" => {
                let must_be = "the name of a rollout";
                set(&mut self.rollout, policy.named(value), must_be)
            }
            "release" => set(&mut self.release, Some(value.to_owned()), ""),
            "id" => set(&mut self.id, Some(value.to_owned()), ""),
            "color" => {
                let color = Color::from_bytes(value.as_bytes());
                set(&mut self.color, color, "blue or green")
            }
            _ => {
                let must_be = "a whole number from 0 to 1000000000";
                let mut counts = Outcome::ALL.into_iter().zip(&mut self.counts);
                let place = counts.find(|(kind, _)| kind.as_str() == name);
                place.map_or(Ok(()), |(_, place)| set(place, parse_count(value), must_be))
            }
        }
        .map_err(|problem| match problem {
            Some(must_be) => bad(name, value, must_be),
            None => duplicate(name),
        })
    }

    fn take_score(&mut self, name: String, value: String) -> Result<(), FeedbackError> {
        if self.scores.iter().any(|(it, _)| *it == name) {
            return Err(duplicate(format_args!(
                "{SCORE_PREFIX}{}",
                Found::name(&name)
            )));
        }
        if self.scores.len() == Quality::MAX_SCORES {
            let most = Quality::MAX_SCORES;
            return Err(wrong(format_args!(
                "more than {most} scores, must be at most {most}"
            )));
        }
        self.scores.push((name, value));
        Ok(())
    }

    /// Adds to a report what only its rollout gives a meaning.
    fn complete(&self, mut report: Report, rollout: &Rollout) -> Result<Report, FeedbackError> {
        if !rollout.measures() {
            return Err(bad("rollout", rollout.name.as_str(), Report::MEASURED));
        }
        for (name, value) in &self.scores {
            let parameter = format!("{SCORE_PREFIX}{}", Found::name(name));
            let Some(index) = index_of(rollout.scores(), name) else {
                let unknown = unknown(rollout.scores());
                return Err(wrong(format_args!("{parameter}: {unknown}")));
            };
            let score = Micro::parse(value).ok_or_else(|| bad(&parameter, value, SCORE))?;
            report.scores.push((index, ScoreSum::of(score)));
        }
        if let Some(id) = &self.id {
            report.id = FeedbackId::new(&rollout.name, id);
            if report.id.is_none() {
                return Err(bad("id", id, FeedbackId::MUST_BE));
            }
        }
        let release = self.release.as_deref();
        match release.and_then(|it| Report::other_release(rollout, report.color, it)) {
            Some(message) => Err(FeedbackError::OtherRelease(format!("release: {message}"))),
            None => Ok(report),
        }
    }
}

/// Sets what is not set yet. Fails with what must be, or with nothing where it is set already.
fn set<T>(
    place: &mut Option<T>,
    value: Option<T>,
    must_be: &'static str,
) -> Result<(), Option<&'static str>> {
    if place.is_some() {
        return Err(None);
    }
    *place = Some(value.ok_or(Some(must_be))?);
    Ok(())
}

fn known(mut name: Encoded<'_>) -> Option<Name> {
    // One byte more than the longest that is known.
    let mut decoded = [0; 71];
    let places = decoded.iter_mut().zip(name.by_ref());
    let length = places.map(|(place, byte)| *place = byte).count();
    let decoded = decoded.get(..length)?;
    let known = KNOWN.into_iter().find(|known| known.as_bytes() == decoded);
    known.map(Name::Known).or_else(|| {
        let score = decoded.strip_prefix(SCORE_PREFIX.as_bytes())?;
        let score = String::from_utf8_lossy(score).into_owned();
        (score.len() <= 64).then_some(Name::Score(score))
    })
}

/// What is cut off a text makes no good value of a bad one: it ends with a character that no good value has.
fn text(mut encoded: Encoded<'_>) -> String {
    let mut bytes: Vec<u8> = encoded.by_ref().take(MAX_BYTES).collect();
    if encoded.next().is_some() {
        bytes.extend("…".bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn parse_count(value: &str) -> Option<u64> {
    // `parse` takes a sign too.
    let digits = Some(value).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
    let count = digits?.parse().ok();
    count.filter(|count| *count <= Report::MAX_COUNT)
}

fn bad(name: &str, value: &str, must_be: &str) -> FeedbackError {
    let value = Found::string(value);
    wrong(format_args!("{name}: {value}, must be {must_be}"))
}

fn duplicate(name: impl Display) -> FeedbackError {
    wrong(format_args!(
        "{name}: duplicate parameter, must be given once"
    ))
}

fn wrong(message: impl Display) -> FeedbackError {
    FeedbackError::Invalid(message.to_string())
}
