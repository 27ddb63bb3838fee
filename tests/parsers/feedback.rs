//! Feedback: what is taken is JSON to `serde_json` too, and of the counts that it reads.

use bluegreen::{Outcome, Policy, Report};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

use crate::inputs::{a_million, text};

const PIECES: [&str; 16] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"tp\":1",
    ",\"fp\":20",
    "\"rollout\":\"demo\",",
    "\"color\":\"green\"",
    "{\"rollout\":\"demo\",\"color\":\"blue\"",
    "},{",
    "-",
    "\"",
    " ",
    "\\u0",
];

pub static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let rollout = json!({
        "name": "demo",
        "clusters": { "blue": "one", "green": "two" },
        "weights": { "blue": 50, "green": 50 },
        "quality": { "min_samples": 1, "scores": { "rating": { "better": "higher", "min": 1 } } },
    });
    let feedback = json!({ "path": "/feedback", "require": "nothing" });
    let config = json!({ "rollouts": [rollout], "feedback": feedback });
    Policy::parse(config.to_string().as_bytes()).unwrap()
});

fn count(value: &Value, kind: Outcome) -> u64 {
    let items = value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice);
    items
        .iter()
        .filter_map(|item| item[kind.as_str()].as_u64())
        .sum()
}

proptest! {
    #![proptest_config(a_million())]
    #[test]
    fn what_is_taken_is_json_with_these_counts(number: u64) {
        // Half of them begin as feedback does.
        let begin = if number % 2 == 0 { "[{\"rollout\":\"demo\",\"color\":\"blue\"" } else { "" };
        let body = format!("{begin}{}", text(&PIECES, (number / 2).into()));
        if let Ok(reports) = Report::read(body.as_bytes(), &POLICY) {
            let value: Value = serde_json::from_str(&body).unwrap();
            for kind in Outcome::ALL {
                let taken: u64 = reports.iter().map(|report| report.outcomes.of(kind)).sum();
                prop_assert_eq!(taken, count(&value, kind), "{}", body);
            }
        }
    }
}
