//! The feedback endpoint: what is taken, and what is said of the rest.

use crate::support::{policy, rollout_json};
use bluegreen::{Color, Outcomes, Policy, Report};
use proptest::prelude::*;
use serde_json::{Value, json};

pub fn config(require: &Value) -> Policy {
    policy(&json!({
        "feedback": { "path": "/bluegreen/feedback", "require": require },
        "rollouts": [
            rollout_json("first", &json!({ "match": { "path_prefix": "/first" }, "releases": { "blue": "1" } })),
            rollout_json("rec", &json!({ "quality": { "min_samples": 1 } })),
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
    Report::new(1, Color::Green, outcomes)
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
    let outcomes = Outcomes {
        tn: 2,
        ..Outcomes::default()
    };
    let blue = Report::new(0, Color::Blue, outcomes);
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
    let fields =
        "unknown field, must be one of rollout, color, tp, fp, fn, tn, scores, release, id";
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

/// The scores of [`scored`], in the order of their names.
const COST: usize = 0;
const RATING: usize = 1;

/// A policy with scores and releases.
fn scored() -> Policy {
    let fields = json!({
        "releases": { "green": "2" },
        "quality": { "min_samples": 1, "scores": {
            "rating": { "better": "higher", "min": 1 },
            "cost": { "better": "lower" },
        } },
    });
    policy(&json!({
        "feedback": { "path": "/bluegreen/feedback", "require": "nothing" },
        "rollouts": [
            rollout_json("rec", &fields),
            rollout_json("none", &json!({ "match": { "path_prefix": "/none" } })),
        ],
    }))
}

/// The index of each score, how many there are, and their mean.
fn scores(report: &Report) -> Vec<(usize, u64, Option<u64>)> {
    let scores = report.scores.iter();
    let scores = scores.map(|(index, sum)| (*index, sum.count(), sum.mean_micro()));
    scores.collect()
}

#[test]
fn scores_come_as_lists_as_sums_and_in_the_query() {
    for text in [
        r#","scores":{"rating":[4,5,3.5],"cost":[0.02]}"#,
        r#","scores":{"cost":{"sum":0.02,"count":1,"sum_squares":0.0004},"rating":{"count":3,"sum":12.5,"sum_squares":53.25}},"tp":1"#,
        r#","scores": { "rating" : [ 4.0, 5e0, 35e-1 ], "cost":[2e-2] } , "id": "a}{\"b", "release":"2""#,
    ] {
        for body in [item(text), format!("[{}]", item(text))] {
            let reports = Report::read(body.as_bytes(), &scored()).unwrap();
            let mut scores = scores(&reports[0]);
            scores.sort_by_key(|(index, ..)| *index);
            assert_eq!(
                scores,
                [(COST, 1, Some(20_000)), (RATING, 3, Some(4_166_667))],
                "{body}"
            );
        }
    }
    let query = "rollout=rec&score.rating=4.5&color=green&score.co%73t=2e-2&id=1&release=2&tp=1";
    let report = Report::read_query(query.as_bytes(), &scored()).unwrap();
    assert_eq!(
        scores(&report),
        [(RATING, 1, Some(4_500_000)), (COST, 1, Some(20_000))]
    );
    assert_eq!(report.outcomes.tp, 1);
    let with_id = Report::read(item(r#","id":"1""#).as_bytes(), &scored()).unwrap();
    assert_eq!(with_id[0].id, report.id);
}

#[test]
fn long_lists_of_scores_are_taken() {
    let list = vec!["1"; 20_000].join(",");
    let body = item(&format!(r#","scores":{{"rating":[{list}]}}"#));
    let reports = Report::read(body.as_bytes(), &scored()).unwrap();
    assert_eq!(scores(&reports[0]), [(RATING, 20_000, Some(1_000_000))]);
}

#[test]
fn bad_scores_ids_and_releases_are_named() {
    let number = "must be a number from 0 to 1000000000";
    let long = "a".repeat(65);
    for (bad, status, message) in [
        (r#","scores":[4]"#, 400, ".scores: an array, must be an object".to_owned()),
        (r#","scores":null"#, 400, ".scores: null, must be an object".to_owned()),
        (r#","scores":{"rating":4}"#, 400, ".scores.rating: 4, must be an array of scores, or an object with count, sum and sum_squares".to_owned()),
        (r#","scores":{"rating":[1,-1]}"#, 400, format!(".scores.rating[1]: -1, {number}")),
        (r#","scores":{"rating":[1000000001]}"#, 400, format!(".scores.rating[0]: 1000000001, {number}")),
        (r#","scores":{"rating":[1e400]}"#, 400, format!(".scores.rating[0]: 1e400, {number}")),
        (r#","scores":{"rating":["4"]}"#, 400, format!(r#".scores.rating[0]: "4", {number}"#)),
        (r#","scores":{"rating":[[4]]}"#, 400, format!(".scores.rating[0]: an array, {number}")),
        (r#","scores":{"stars":[4]}"#, 400, ".scores.stars: unknown score, must be one of cost, rating".to_owned()),
        (r#","scores":{"rating":[4],"rating":[4]}"#, 400, ".scores.rating: duplicate field, must be given once".to_owned()),
        (r#","scores":{"rating":{"count":2,"sum":10}}"#, 400, ".scores.rating: sum_squares is missing, must be given".to_owned()),
        (r#","scores":{"rating":{"count":2,"sum":10,"sum_squares":10}}"#, 400, ".scores.rating: sum 10 and sum_squares 10, must be those of 2 numbers from 0 to 1000000000".to_owned()),
        (r#","scores":{"rating":{"count":-2,"sum":10,"sum_squares":10}}"#, 400, ".scores.rating.count: -2, must be a whole number from 0 to 1000000000".to_owned()),
        (r#","scores":{"rating":{"count":2,"sum":-10,"sum_squares":10}}"#, 400, ".scores.rating.sum: -10, must be a number from 0 to 10^26".to_owned()),
        (r#","scores":{"rating":{"count":2,"sum":1,"sum_squares":1,"x":1}}"#, 400, ".scores.rating.x: unknown field, must be one of count, sum, sum_squares".to_owned()),
        (r#","id":"""#, 400, r#".id: "", must be 1 to 64 characters"#.to_owned()),
        (r#","id":7"#, 400, ".id: 7, must be a string".to_owned()),
        (r#","id":null"#, 400, ".id: null, must be a string".to_owned()),
        (&format!(r#","id":"{long}""#), 400, format!(".id: \"{long}\", must be 1 to 64 characters")),
        (r#","release":"1""#, 409, r#".release: "1", must be "2", the release of green that is in force"#.to_owned()),
        (r#","release":2"#, 400, ".release: 2, must be a string".to_owned()),
        // What can't be read is wrong whatever release it is about.
        (r#","release":"1","tp":-1"#, 400, ".tp: -1, must be a whole number from 0 to 1000000000".to_owned()),
    ] {
        let refusal = |body: String| Report::read(body.as_bytes(), &scored()).unwrap_err();
        let in_batch = refusal(format!("[{},{}]", item(""), item(bad)));
        assert_eq!((in_batch.status(), in_batch.to_string()), (status, format!("[1]{message}")));
        let alone = refusal(item(bad));
        assert_eq!((alone.status(), alone.to_string().as_str()), (status, &message[1..]));
    }
    let nan = Report::read(item(r#","scores":{"rating":[NaN]}"#).as_bytes(), &scored());
    assert_eq!(nan.unwrap_err().status(), 400);
    let blue = r#"{"rollout":"rec","color":"blue","release":"2"}"#;
    let refusal = Report::read(blue.as_bytes(), &scored()).unwrap_err();
    assert_eq!(refusal.status(), 409);
    assert_eq!(
        refusal.to_string(),
        "release: \"2\", must be absent: releases gives blue no label"
    );
    let none = r#"{"rollout":"none","color":"blue","tp":1}"#;
    let refusal = Report::read(none.as_bytes(), &scored()).unwrap_err();
    assert_eq!(refusal.status(), 400);
    let message = "rollout: \"none\", must be the name of a rollout that has quality or releases";
    assert_eq!(refusal.to_string(), message);
}

#[test]
fn bad_parameters_of_scores_ids_and_releases_are_named() {
    let many: String = (0..9).map(|index| format!("&score.s{index}=1")).collect();
    for (more, status, message) in [
        (
            "&score.rating=-1",
            400,
            "score.rating: \"-1\", must be a number from 0 to 1000000000",
        ),
        (
            "&score.rating=NaN",
            400,
            "score.rating: \"NaN\", must be a number from 0 to 1000000000",
        ),
        (
            "&score.rating=",
            400,
            "score.rating: \"\", must be a number from 0 to 1000000000",
        ),
        (
            "&score.stars=1",
            400,
            "score.stars: unknown score, must be one of cost, rating",
        ),
        (
            "&score.=1",
            400,
            "score.: unknown score, must be one of cost, rating",
        ),
        (
            "&score.rating=1&score.rating=1",
            400,
            "score.rating: duplicate parameter, must be given once",
        ),
        (&many, 400, "more than 8 scores, must be at most 8"),
        (
            "&scores=1",
            400,
            "scores: unknown parameter, must be one of rollout, color, tp, fp, fn, tn, release, id and score.NAME",
        ),
        ("&id=", 400, "id: \"\", must be 1 to 64 characters"),
        (
            "&release=1",
            409,
            "release: \"1\", must be \"2\", the release of green that is in force",
        ),
        (
            "&release=1&release=2",
            400,
            "release: duplicate parameter, must be given once",
        ),
    ] {
        let query = format!("rollout=rec&color=green{more}");
        let refusal = Report::read_query(query.as_bytes(), &scored()).unwrap_err();
        assert_eq!(
            (refusal.status(), refusal.to_string().as_str()),
            (status, message)
        );
    }
    let refusal = Report::read_query(b"rollout=none&color=blue", &scored()).unwrap_err();
    assert_eq!(refusal.status(), 400);
}

#[test]
fn header_of_a_response_tells_scores_or_nothing() {
    let policy = scored();
    let read = |value: &[u8]| bluegreen::scores_in_header(value, policy.rollouts[0].scores());
    let scores = read(b"rating=4.5, cost=0.02").unwrap();
    assert_eq!(
        scores.iter().map(|(index, _)| *index).collect::<Vec<_>>(),
        [RATING, COST]
    );
    assert_eq!(read(b" cost = 1 ").unwrap().len(), 1);
    for bad in [
        &b""[..],
        b"rating",
        b"rating=",
        b"rating=-1",
        b"rating=nan",
        b"stars=1",
        b"rating=1,",
        b"rating=1, rating=2",
        b"rating=1;cost=2",
        b"rating=1e10",
        b"\xff=1",
        b"Rating=1",
    ] {
        assert_eq!(read(bad), None, "{bad:?}");
    }
}
