//! The feedback endpoint: what is taken, and what is said of the rest.

use crate::support::{policy, rollout_json};
use bluegreen::{Color, Outcomes, Policy, Report};
use proptest::prelude::*;
use serde_json::{Value, json};

pub fn config(require: &Value) -> Policy {
    policy(&json!({
        "feedback": { "path": "/bluegreen/feedback", "require": require },
        "rollouts": [
            rollout_json("first", &json!({ "match": { "path_prefix": "/first" } })),
            rollout_json("rec", &json!({})),
        ],
    }))
}

pub fn open() -> Policy {
    config(&json!("nothing"))
}

#[track_caller]
fn assert_taken(body: &str, expected: &[Report]) {
    assert_eq!(Report::read(body.as_bytes(), &open()).unwrap(), expected);
}

#[track_caller]
fn assert_refused(body: impl AsRef<[u8]>, status: u32, message: &str) {
    let refusal = Report::read(body.as_ref(), &open()).unwrap_err();
    assert_eq!(refusal.to_string(), message);
    assert_eq!(refusal.status(), status);
    let json: Value = serde_json::from_slice(&refusal.to_json()).unwrap();
    assert_eq!(json, json!({ "error": message }));
}

fn green(tp: u64, fp: u64, fn_: u64, tn: u64) -> Report {
    let outcomes = Outcomes { tp, fp, fn_, tn };
    Report {
        rollout: 1,
        color: Color::Green,
        outcomes,
    }
}

fn item(more: &str) -> String {
    format!(r#"{{"rollout":"rec","color":"green"{more}}}"#)
}

#[test]
fn one_object_is_taken() {
    assert_taken(
        &item(r#","tp":3,"fp":0,"fn":1,"tn":10"#),
        &[green(3, 0, 1, 10)],
    );
    assert_taken(&item(""), &[green(0, 0, 0, 0)]);
    assert_taken(
        &format!("\n {} \n", item(r#","tp" : 1000000000"#)),
        &[green(1_000_000_000, 0, 0, 0)],
    );
    let blue = Report {
        rollout: 0,
        color: Color::Blue,
        outcomes: Outcomes {
            tn: 2,
            ..Outcomes::default()
        },
    };
    assert_taken(r#"{"tn":2,"color":"blue","rollout":"first"}"#, &[blue]);
}

#[test]
fn array_is_taken_in_its_order() {
    assert_taken("[]", &[]);
    let items = format!("[{}, {}]", item(r#","fp":1"#), item(r#","fn":1"#));
    assert_taken(&items, &[green(0, 1, 0, 0), green(0, 0, 1, 0)]);
}

#[test]
fn bad_item_is_named_and_nothing_is_taken() {
    let fields = "unknown field, must be one of rollout, color, tp, fp, fn, tn";
    for (bad, message) in [
        (
            item(r#","tp":-1"#),
            ".tp: -1, must be a whole number from 0 to 1000000000",
        ),
        (
            item(r#","fp":0.5"#),
            ".fp: 0.5, must be a whole number from 0 to 1000000000",
        ),
        (
            item(r#","fn":1.0"#),
            ".fn: 1.0, must be a whole number from 0 to 1000000000",
        ),
        (
            item(r#","tn":1000000001"#),
            ".tn: 1000000001, must be a whole number from 0 to 1000000000",
        ),
        (
            item(r#","tn":1e3"#),
            ".tn: 1e3, must be a whole number from 0 to 1000000000",
        ),
        (
            item(r#","tp":99999999999999999999"#),
            ".tp: 99999999999999999999, must be a whole number from 0 to 1000000000",
        ),
        (
            item(r#","tp":"1""#),
            ".tp: \"1\", must be a whole number from 0 to 1000000000",
        ),
        (
            item(r#","tp":null"#),
            ".tp: null, must be a whole number from 0 to 1000000000",
        ),
        (
            item(r#","tp":1,"tp":2"#),
            ".tp: duplicate field, must be given once",
        ),
        (item(r#","fn_":1"#), &format!(".fn_: {fields}")),
        (
            r#"{"rollout":"other","color":"green"}"#.into(),
            ".rollout: \"other\", must be the name of a rollout",
        ),
        (
            r#"{"rollout":"REC","color":"green"}"#.into(),
            ".rollout: \"REC\", must be the name of a rollout",
        ),
        (
            r#"{"rollout":7,"color":"green"}"#.into(),
            ".rollout: 7, must be a string",
        ),
        (
            r#"{"rollout":"rec","color":"purple"}"#.into(),
            ".color: \"purple\", must be blue or green",
        ),
        (
            r#"{"rollout":"rec"}"#.into(),
            ": color is missing, must be given",
        ),
        (
            r#"{"color":"green"}"#.into(),
            ": rollout is missing, must be given",
        ),
        ("7".into(), ": 7, must be an object"),
        ("[]".into(), ": an array, must be an object"),
        ("null".into(), ": null, must be an object"),
    ] {
        let good = item(r#","tp":1"#);
        assert_refused(
            format!("[{good},{bad},{good}]"),
            400,
            &format!("[1]{message}"),
        );
        if bad.starts_with('{') {
            assert_refused(&bad, 400, message.trim_start_matches(['.', ':', ' ']));
        }
    }
}

#[test]
fn body_that_is_no_json_is_refused() {
    for (body, message) in [
        (
            &b""[..],
            "invalid JSON at line 1, column 1: EOF while parsing a value",
        ),
        (
            b"{",
            "invalid JSON at line 1, column 1: EOF while parsing an object",
        ),
        (b"[1,]", "invalid JSON at line 1, column 4: expected value"),
        (b"tp=1", "invalid JSON at line 1, column 2: expected ident"),
        (
            b"{} {}",
            "invalid JSON at line 1, column 4: trailing characters",
        ),
        (b"\xff", "invalid JSON at line 1, column 1: invalid UTF-8"),
        (
            b"[\x1b]",
            "invalid JSON at line 1, column 2: expected value",
        ),
        (b"7", "7, must be an object"),
        (b"\"[]\"", "\"[]\", must be an object"),
    ] {
        assert_refused(body, 400, message);
    }
}

#[test]
fn a_thousand_items_are_taken_and_one_more_is_not() {
    let items = |count: usize| format!("[{}]", vec![item(""); count].join(","));
    assert_eq!(
        Report::read(items(1_000).as_bytes(), &open())
            .unwrap()
            .len(),
        1_000
    );
    assert_refused(
        items(1_001),
        400,
        "more than 1000 items, must be at most 1000",
    );
}

#[test]
fn body_of_64_kib_is_taken_and_one_byte_more_is_not() {
    let body = |bytes: usize| item("") + &" ".repeat(bytes - item("").len());
    assert_taken(&body(65_536), &[green(0, 0, 0, 0)]);
    assert_refused(body(65_537), 413, "the body is larger than 65536 bytes");
}

#[test]
fn deep_nesting_is_refused_without_harm() {
    let deep = format!("{}{}", "[".repeat(32_000), "]".repeat(32_000));
    let refusal = Report::read(deep.as_bytes(), &open()).unwrap_err();
    assert_eq!(refusal.status(), 400);
    assert_eq!(
        Report::read("[".repeat(65_536).as_bytes(), &open())
            .unwrap_err()
            .status(),
        400
    );
}

proptest! {
    #[test]
    fn any_body_is_taken_or_refused(bytes: Vec<u8>, text in r#"[\[\]{}",:a-z0-9\\ ]{0,60}"#) {
        for body in [&bytes[..], text.as_bytes()] {
            if let Err(refusal) = Report::read(body, &open()) {
                prop_assert_eq!(refusal.status(), 400);
                prop_assert!(serde_json::from_slice::<Value>(&refusal.to_json()).is_ok());
            }
        }
    }
}
