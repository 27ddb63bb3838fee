//! All problems of a configuration are reported, each by one line with its path.

use super::{assert_message, of_rollouts};
use crate::support::{config, errors, rollout_json};
use bluegreen::Policy;
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn problems_in_different_places_are_all_reported() {
    let mut config = of_rollouts(&[
        json!({ "match": { "path_prefix": "/0" }, "weights": { "blue": 90, "green": 5 } }),
        json!({ "match": { "path_prefix": "/1" }, "stabel": "blue" }),
        json!({ "match": { "path_prefix": "/2" }, "clusters": { "blue": 1, "green": "a b" } }),
        json!({ "match": { "path_prefix": "/0" }, "ramp": { "start": "now", "steps": [] } }),
    ]);
    config["version"] = json!("");
    config["feedback"] = json!({ "path": "feedback", "require": "s3cret" });
    assert_message(
        config.to_string(),
        "version: \"\", must be 1 to 128 characters without control characters\n\
         rollouts[0].weights: blue 90 + green 5 = 95, must be 100\n\
         rollouts[1].stabel: unknown field, must be one of name, match, clusters, weights, stable, salt, \
         sticky, override, ramp, guard, releases, quality, stream, shadow\n\
         rollouts[2].clusters.blue: 1, must be a string\n\
         rollouts[2].clusters.green: \"a b\", must be 1 to 255 visible ASCII characters\n\
         rollouts[3].ramp.start: \"now\", must be an RFC 3339 time such as \"2026-11-23T10:00:00Z\"\n\
         rollouts[3].ramp.steps: [], must be one step or more\n\
         rollouts[3].match: any host with path_prefix \"/0\" is the match of rollouts[0], must be unique\n\
         feedback.path: \"feedback\", must be a path of visible ASCII characters without '?' and '#' that \
         begins with '/'\n\
         feedback.require: a value that is not shown, must be \"internal\", \"nothing\" or an object with token",
    );
}

#[test]
fn problems_of_one_rollout_are_all_reported() {
    let rollout = json!({
        "name": "A",
        "salt": "a\0",
        "weights": { "blue": 101, "green": "5" },
        "sticky": [{ "header": "x y" }, "ip", { "cookie": "a;b" }],
        "guard": { "window": "2d", "min_requests": 0, "max_error_rate": 5 },
        "quality": {},
    });
    let lines = errors(config(&rollout).to_string().as_bytes());
    let paths: Vec<&str> = lines.iter().map(bluegreen::Problem::path).collect();
    let expected = [
        "name",
        "weights.blue",
        "weights.green",
        "salt",
        "sticky[0].header",
        "sticky[1]",
        "sticky[2].cookie",
        "guard.window",
        "guard.min_requests",
        "quality",
    ];
    assert_eq!(paths, expected.map(|path| format!("rollouts[0].{path}")));
}

#[test]
fn rollouts_with_other_problems_are_compared_too() {
    let bad = json!({ "weights": { "blue": 1, "green": 1 } });
    let config = json!({ "rollouts": [rollout_json("a", &bad), rollout_json("a", &bad)] });
    let sum = "weights: blue 1 + green 1 = 2, must be 100";
    assert_message(
        config.to_string(),
        &format!(
            "rollouts[0].{sum}\n\
             rollouts[1].{sum}\n\
             rollouts[1].name: \"a\" is the name of rollouts[0], must be unique\n\
             rollouts[1].match: any host with path_prefix \"\" is the match of rollouts[0], must be unique"
        ),
    );
}

#[test]
fn twenty_problems_are_shown_and_the_others_counted() {
    let lines = |count: usize| {
        let hosts = vec!["?"; count];
        let errors = errors(
            config(&json!({ "match": { "hosts": hosts } }))
                .to_string()
                .as_bytes(),
        );
        errors.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(lines(20).len(), 20);
    for (count, last) in [
        (21, "1 more problem"),
        (22, "2 more problems"),
        (1_000, "980 more problems"),
    ] {
        let lines = lines(count);
        assert_eq!((lines.len(), &*lines[20]), (21, last));
        assert!(lines[19].starts_with("rollouts[0].match.hosts[19]: "));
    }
}

#[test]
fn long_values_are_cut() {
    let long = "n".repeat(10_000);
    let shown = format!("\"{}\"…", "n".repeat(300));
    assert_message(
        config(&json!({ "name": long })).to_string(),
        &format!("rollouts[0].name: {shown}, must be 1 to 64 of a-z, 0-9, '_' and '-'"),
    );
    let digits = "9".repeat(10_000);
    let document = config(&json!({}))
        .to_string()
        .replace(r#""green":50"#, &format!(r#""green":{digits}"#));
    assert_message(
        document,
        &format!(
            "rollouts[0].weights.green: {}…, must be a number from 0 to 100 in steps of 0.001",
            "9".repeat(300)
        ),
    );
}

/// Any JSON value, in which `s3cret` is likely.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!("s3cret")),
        Just(json!("s3cret\n\u{1b}[31m")),
        Just(json!("internal")),
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(|text| json!(format!("s3cret{text}"))),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let name = prop_oneof![
            Just("token".to_owned()),
            Just("header".to_owned()),
            Just("sha256".to_owned()),
            Just("internal".to_owned()),
            Just("nothing".to_owned()),
            Just("s3cret".to_owned()),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(name, inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Whether this is what a log can show: 1 to 21 lines of bounded length without control characters.
fn assert_loggable(errors: &bluegreen::ConfigErrors) -> Result<(), TestCaseError> {
    prop_assert!((1..=21).contains(&errors.iter().count()));
    for problem in errors {
        let line = problem.to_string();
        prop_assert!(!line.contains(char::is_control), "{line:?}");
        prop_assert!(!line.is_empty() && line.len() < 4_000, "{line}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_message_shows_a_secret(require in value()) {
        let mut config = config(&json!({ "override": { "header": "x", "require": require } }));
        config["feedback"] = json!({ "path": "/a", "require": require });
        if let Err(errors) = Policy::parse(config.to_string().as_bytes()) {
            prop_assert!(!errors.to_string().contains("s3cret"), "{errors}");
            assert_loggable(&errors)?;
        }
    }

    #[test]
    fn any_value_anywhere_is_accepted_by_the_schema_too_or_reported(value in value(), at in 0..15_usize) {
        let mut rollout = rollout_json("rec", &json!({}));
        let fields = [
            "name", "match", "clusters", "weights", "stable", "salt", "sticky", "override", "ramp", "guard",
            "releases", "quality", "other",
        ];
        match fields.get(at) {
            Some(field) => rollout[field] = value,
            None => rollout = value,
        }
        let config = json!({ "rollouts": [rollout] }).to_string();
        match Policy::parse(config.as_bytes()) {
            Ok(_) => drop(crate::support::policy(&serde_json::from_str(&config).unwrap())),
            Err(_) => assert_loggable(&errors(config.as_bytes()))?,
        }
    }

    #[test]
    fn bytes_are_rejected_by_lines_for_a_log(bytes: Vec<u8>, text in r#"\{?[\[\]{}",:a-z0-9\\ \n]{0,60}\}?"#) {
        for document in [&bytes[..], text.as_bytes()] {
            let Err(errors) = Policy::parse(document) else {
                return Err(TestCaseError::fail("no such document has rollouts"));
            };
            assert_loggable(&errors)?;
        }
    }
}

#[test]
fn as_many_problems_are_kept_as_are_asked_for() {
    let rollouts: Vec<Value> = (0..30).map(|_| json!({ "weights": 1 })).collect();
    let config = json!({ "rollouts": rollouts }).to_string();
    let all = Policy::parse_keeping(config.as_bytes(), usize::MAX).unwrap_err();
    let few = Policy::parse_keeping(config.as_bytes(), 5).unwrap_err();
    let last = |errors: &bluegreen::ConfigErrors| errors.iter().last().unwrap().to_string();
    assert!(all.iter().count() > 30);
    assert!(all.iter().all(|problem| !problem.path().is_empty()));
    assert_eq!(few.iter().count(), 6);
    let left = all.iter().count() - 5;
    assert_eq!(last(&few), format!("{left} more problems"));
    let first = all.iter().next().unwrap();
    assert_eq!(
        first.to_string(),
        format!("{}: {}", first.path(), first.message())
    );
}
