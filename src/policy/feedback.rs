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
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use xxhash_rust::xxh64::Xxh64Builder;

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
    rollout: Text<'d>,
    #[serde(borrow)]
    color: Text<'d>,
    #[serde(default)]
    tp: u64,
    #[serde(default)]
    fp: u64,
    #[serde(default, rename = "fn")]
    fn_: u64,
    #[serde(default)]
    tn: u64,
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'d>(#[serde(borrow)] Cow<'d, str>);

/// An object, where a struct could also be an array.
struct Object<T>(T);

/// The items of an array, as many as are taken.
struct Items<'d>(Vec<&'d RawValue>);

/// A report as it is written, read value by value to find what is wrong with it.
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
        let not_json = || {
            let invalid = Document::parse(body).err();
            FeedbackError::Body(invalid.map(|it| it.to_string()).unwrap_or_default())
        };
        let text = std::str::from_utf8(body).map_err(|_| not_json())?;
        if !text.trim_ascii_start().starts_with('[') {
            let json = serde_json::from_str(text).map_err(|_| not_json())?;
            return Ok(vec![read_report(json, None, policy)?]);
        }
        let Items(items) = serde_json::from_str(text).map_err(|error| {
            if error.is_data() {
                let most = Self::MAX_ITEMS;
                return FeedbackError::Body(format!(
                    "more than {most} items, must be at most {most}"
                ));
            }
            not_json()
        })?;
        let items = items.into_iter().enumerate();
        items
            .map(|(index, json)| read_report(json, Some(index), policy))
            .collect()
    }

    /// One report for each rollout and color, so that a batch is counted as a whole.
    pub fn sums(reports: Vec<Self>) -> Vec<Self> {
        let mut places: HashMap<(usize, Color), usize, Xxh64Builder> = HashMap::default();
        let mut sums: Vec<Self> = Vec::new();
        for report in reports {
            let key = (report.rollout, report.color);
            let place = *places.entry(key).or_insert(sums.len());
            match sums.get_mut(place) {
                Some(sum) => sum.outcomes.add(&report.outcomes),
                None => sums.push(report),
            }
        }
        sums
    }
}

/// No report is longer, however it is indented.
const MAX_REPORT_BYTES: usize = 4_096;

/// Reads a report, which is the item of this index where there are several.
fn read_report(
    json: &RawValue,
    index: Option<usize>,
    policy: &Policy,
) -> Result<Report, FeedbackError> {
    let length = json.get().len();
    if length <= MAX_REPORT_BYTES
        && let Some(report) = good_report(json, policy)
    {
        return Ok(report);
    }
    let root = Node::root(json);
    let node = index.map_or(root, |index| root.item(index, json));
    let mut problems = Problems::default();
    if length > MAX_REPORT_BYTES {
        let message = format_args!("{length} bytes, must be at most {MAX_REPORT_BYTES}");
        node.problem(&mut problems, message);
    } else if let Err(invalid) = Document::parse(json.get().as_bytes()) {
        node.problem(&mut problems, invalid);
    } else if let Some(report) = explained_report(&node, policy, &mut problems) {
        return Ok(report);
    }
    let first = problems.into_kept().into_iter().next();
    let message = first.map(|it| it.to_string()).unwrap_or_default();
    Err(FeedbackError::Body(message))
}

fn good_report(json: &RawValue, policy: &Policy) -> Option<Report> {
    let Object(raw): Object<GoodReport<'_>> = serde_json::from_str(json.get()).ok()?;
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
    is_allowed.then_some(Report {
        rollout: policy.named(&rollout.0)?,
        color: Color::from_bytes(color.0.as_bytes())?,
        outcomes: Outcomes { tp, fp, fn_, tn },
    })
}

fn explained_report(node: &Node<'_>, policy: &Policy, problems: &mut Problems) -> Option<Report> {
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

// === impl Object ===

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(std::marker::PhantomData))
    }
}

// === impl Items ===

impl<'de: 'd, 'd> Deserialize<'de> for Items<'d> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemsVisitor;

        impl<'de> Visitor<'de> for ItemsVisitor {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() == Report::MAX_ITEMS {
                        return Err(A::Error::custom("too many items"));
                    }
                    items.push(item);
                }
                Ok(Items(items))
            }
        }

        deserializer.deserialize_seq(ItemsVisitor)
    }
}
