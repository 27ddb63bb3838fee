//! Feedback in a query, against the URL standard's parser and the rules word by word.

use bluegreen::{Color, Outcome, Report};
use proptest::prelude::*;
use std::collections::HashMap;

use crate::feedback::POLICY;
use crate::inputs::{a_million, text};

const PIECES: [&str; 24] = [
    "rollout=demo",
    "color=green",
    "color=blue",
    "&tp=1",
    "&fp=20",
    "&fn=1000000000",
    "tn",
    "tp",
    "=",
    "&",
    "%",
    "%6",
    "%64emo",
    "%74%70",
    "%ff",
    "%00",
    "+",
    "0",
    "9",
    "-",
    "é",
    ";",
    "?",
    "rollout=",
];

/// The report that a query is, by a parser that others wrote.
fn expected(query: &str) -> Option<(Color, [u64; 4])> {
    let mut values = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if values.insert(name, value).is_some() {
            return None;
        }
    }
    let rollout = values.remove("rollout")?;
    let color = match &*values.remove("color")? {
        "blue" => Color::Blue,
        "green" => Color::Green,
        _ => return None,
    };
    let mut counts = [0; 4];
    for (name, count) in ["tp", "fp", "fn", "tn"].into_iter().zip(&mut counts) {
        if let Some(value) = values.remove(name) {
            let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
            *count = value.parse().ok().filter(|_| is_number)?;
        }
    }
    let is_good =
        rollout == "demo" && values.is_empty() && counts.iter().all(|it| *it <= 1_000_000_000);
    is_good.then_some((color, counts))
}

proptest! {
    #![proptest_config(a_million())]
    #[test]
    fn query_is_taken_where_the_url_standard_reads_one_report(number: u64) {
        // Half of them begin as feedback does.
        let begin = if number % 2 == 0 { "rollout=demo&color=blue&" } else { "" };
        let query = format!("{begin}{}", text(&PIECES, (number / 2).into()));
        let taken = Report::read_query(query.as_bytes(), &POLICY).ok();
        let taken = taken.map(|it| (it.color, Outcome::ALL.map(|kind| it.outcomes.of(kind))));
        prop_assert_eq!(taken, expected(&query), "{}", query);
    }
}
