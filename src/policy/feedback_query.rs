//! Feedback whose counts are in the query.

use crate::analysis::quality::{Outcome, Outcomes};
use crate::json::found::Found;
use crate::policy::feedback::Report;
use crate::policy::feedback_endpoint::FeedbackError;
use crate::policy::policy::Policy;
use crate::request::query::{Encoded, form_pairs};
use crate::value::color::Color;
use std::fmt::Display;

/// The parameters of a report.
const KNOWN: [&str; 6] = ["rollout", "color", "tp", "fp", "fn", "tn"];

/// No parameter is longer, and no message shows more of one.
const MAX_BYTES: usize = 1_500;

/// The parameters that have come so far.
#[derive(Default)]
struct Parameters {
    rollout: Option<usize>,
    color: Option<Color>,
    counts: [Option<u64>; 4],
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
                return Err(wrong(format_args!(
                    "{name}: unknown parameter, must be one of rollout, color, tp, fp, fn, tn"
                )));
            };
            parameters.take(known, &text(value), policy)?;
        }
        let missing = |name| wrong(format_args!("{name} is missing, must be given"));
        let rollout = parameters.rollout.ok_or_else(|| missing("rollout"))?;
        let color = parameters.color.ok_or_else(|| missing("color"))?;
        let mut outcomes = Outcomes::default();
        for (kind, count) in Outcome::ALL.into_iter().zip(parameters.counts) {
            *outcomes.of_mut(kind) = count.unwrap_or(0);
        }
        Ok(Self {
            rollout,
            color,
            outcomes,
        })
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
            Some(must_be) => {
                let value = Found::string(value);
                wrong(format_args!("{name}: {value}, must be {must_be}"))
            }
            None => wrong(format_args!(
                "{name}: duplicate parameter, must be given once"
            )),
        })
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

fn known(mut name: Encoded<'_>) -> Option<&'static str> {
    // One byte more than the longest that is known.
    let mut decoded = [0; 8];
    let places = decoded.iter_mut().zip(name.by_ref());
    let length = places.map(|(place, byte)| *place = byte).count();
    let decoded = decoded.get(..length)?;
    KNOWN.into_iter().find(|known| known.as_bytes() == decoded)
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

fn wrong(message: impl Display) -> FeedbackError {
    FeedbackError::Invalid(message.to_string())
}
