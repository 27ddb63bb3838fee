//! Scores in feedback and in the header of a response.

use crate::analysis::quality::Quality;
use crate::analysis::score::Score;
use crate::analysis::score_sum::ScoreSum;
use crate::json::node::Node;
use crate::json::object::{read_entries, read_fields};
use crate::json::problems::Problems;
use crate::json::raw_fields::RawField;
use crate::policy::rollout::Rollout;
use crate::value::decimal::{Micro, parse_decimal};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Sums of scores, each with the index of the score.
pub type Scores = Vec<(usize, ScoreSum)>;

/// What a score must be.
pub const SCORE: &str = "a number from 0 to 1000000000";

/// Sums as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoodSums<'d> {
    count: u64,
    #[serde(borrow)]
    sum: &'d RawValue,
    #[serde(borrow)]
    sum_squares: &'d RawValue,
}

/// The scores of a rollout's report, where nothing is wrong with them.
pub fn good_scores(fields: Vec<RawField<'_>>, rollout: &Rollout) -> Option<Scores> {
    if fields.len() > Quality::MAX_SCORES {
        return None;
    }
    let mut scores = Scores::new();
    for (name, value) in fields {
        let index = index_of(rollout.scores(), &name)?;
        let is_new = scores.iter().all(|(it, _)| *it != index);
        let sum = is_new.then(|| good_sum(value.get())).flatten()?;
        scores.push((index, sum));
    }
    Some(scores)
}

fn good_sum(json: &str) -> Option<ScoreSum> {
    let Some(list) = json.strip_prefix('[') else {
        let sums: GoodSums<'_> = serde_json::from_str(json).ok()?;
        return ScoreSum::of_many(sums.count, sums.sum.get(), sums.sum_squares.get());
    };
    let list = list.strip_suffix(']')?.trim_ascii();
    let mut sum = ScoreSum::default();
    if list.is_empty() {
        return Some(sum);
    }
    // It is known to be JSON, and no number has a comma in it.
    for score in list.as_bytes().split(|byte| *byte == b',') {
        sum.add(&ScoreSum::of(Micro::parse_bytes(score.trim_ascii())?));
    }
    Some(sum)
}

/// The same, with what is wrong with them.
pub fn explained_scores(
    node: &Node<'_>,
    rollout: &Rollout,
    problems: &mut Problems,
) -> Option<Scores> {
    let before = problems.count();
    let mut scores = Scores::new();
    for (name, json) in read_entries(node, Quality::MAX_SCORES, problems)? {
        let node = node.field(&name, json.get());
        match index_of(rollout.scores(), &name) {
            Some(index) => scores.push((index, explained_sum(&node, problems)?)),
            None => {
                node.problem(problems, unknown(rollout.scores()));
                return None;
            }
        }
    }
    (problems.count() == before).then_some(scores)
}

fn explained_sum(node: &Node<'_>, problems: &mut Problems) -> Option<ScoreSum> {
    if node.is_object() {
        return explained_sums(node, problems);
    }
    if !node.is_array() {
        node.must_be(
            problems,
            "an array of scores, or an object with count, sum and sum_squares",
        );
        return None;
    }
    let mut sum = ScoreSum::default();
    for (index, json) in node.array(problems)?.into_iter().enumerate() {
        let Some(score) = Micro::parse(json.get()) else {
            node.item(index, json).must_be(problems, SCORE);
            return None;
        };
        sum.add(&ScoreSum::of(score));
    }
    Some(sum)
}

fn explained_sums(node: &Node<'_>, problems: &mut Problems) -> Option<ScoreSum> {
    const KNOWN: [&str; 3] = ["count", "sum", "sum_squares"];
    let before = problems.count();
    let fields = read_fields(node, &KNOWN, problems)?;
    let count = fields.required("count", node, problems)?;
    let count = count.integer(0, ScoreSum::MAX_COUNT, problems)?;
    let sum = fields.required("sum", node, problems)?;
    let squares = fields.required("sum_squares", node, problems)?;
    for (sum, places) in [(&sum, 6), (&squares, 12)] {
        if parse_decimal(sum.json(), places).is_none() {
            sum.must_be(problems, "a number from 0 to 10^26");
            return None;
        }
    }
    let made = ScoreSum::of_many(count, sum.json(), squares.json());
    if made.is_none() {
        let message = format_args!(
            "sum {} and sum_squares {}, must be those of {count} numbers from 0 to 1000000000",
            sum.found(),
            squares.found()
        );
        node.problem(problems, message);
    }
    made.filter(|_| problems.count() == before)
}

/// The scores in an upstream's response header, such as `rating=4.5, cost=0.02`. None where something is wrong with it.
pub fn scores_in_header(value: &[u8], scores: &[Score]) -> Option<Scores> {
    let value = std::str::from_utf8(value).ok()?;
    let mut sums = Scores::new();
    for part in value.split(',') {
        let (name, score) = part.split_once('=')?;
        let index = index_of(scores, name.trim_ascii())?;
        let is_new = sums.iter().all(|(it, _)| *it != index);
        let score = Micro::parse(score.trim_ascii()).filter(|_| is_new)?;
        sums.push((index, ScoreSum::of(score)));
    }
    Some(sums)
}

/// The index of the score of this name.
pub fn index_of(scores: &[Score], name: &str) -> Option<usize> {
    scores.iter().position(|score| score.name.as_str() == name)
}

/// What to say of a score that is none of these.
pub fn unknown(scores: &[Score]) -> String {
    let names: Vec<&str> = scores.iter().map(|score| score.name.as_str()).collect();
    match names.as_slice() {
        [] => "unknown score, must be absent: the rollout has none".to_owned(),
        names => format!("unknown score, must be one of {}", names.join(", ")),
    }
}
