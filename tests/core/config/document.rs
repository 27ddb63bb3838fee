//! The document as a whole, and its fields at the top.

use super::{assert_accepted, assert_field, assert_message, message, of_rollouts, with};
use crate::support::{config, rollout_json};
use serde_json::{Value, json};

#[test]
fn invalid_json_is_rejected_with_its_place() {
    for (document, message) in [
        (&b""[..], "line 1, column 1: EOF while parsing a value"),
        (b" \n", "line 2, column 1: EOF while parsing a value"),
        (b"{", "line 1, column 1: EOF while parsing an object"),
        (b"{\n\"rollouts\": [}", "line 2, column 14: expected value"),
        (
            b"{'rollouts': []}",
            "line 1, column 2: key must be a string",
        ),
        (b"{} x", "line 1, column 4: trailing characters"),
        (b"{}{}", "line 1, column 3: trailing characters"),
        (
            b"{\"version\": \"a\",}",
            "line 1, column 17: key must be a string",
        ),
        (b"version: a", "line 1, column 1: expected value"),
        (b"{\"version\": NaN}", "line 1, column 13: expected value"),
        (
            b"{\"version\": \"\xff\"}",
            "line 1, column 14: invalid UTF-8",
        ),
        (b"{\n\n\"\xff", "line 3, column 2: invalid UTF-8"),
        (b"\xff", "line 1, column 1: invalid UTF-8"),
        (
            b"{\"version\": \"a\nb\"}",
            "line 1, column 14: control character (\\u0000-\\u001F) found while parsing a string",
        ),
        (
            b"{\"version\": \"\x1b[31m\"}",
            "line 1, column 13: control character (\\u0000-\\u001F) found while parsing a string",
        ),
        (
            b"{\"version\": \"\\\r\"}",
            "line 1, column 15: invalid escape",
        ),
        (b"\x1b[31m", "line 1, column 1: expected value"),
        (b"{}\0", "line 1, column 3: trailing characters"),
    ] {
        assert_message(document, &format!("invalid JSON at {message}"));
    }
}

#[test]
fn half_of_a_surrogate_pair_is_no_text() {
    for (document, column) in [
        (r#"{"version":"\ud800","rollouts":[]}"#, 13),
        (r#"{"version":"\ud800x"}"#, 13),
        (r#"{"version":"\\\udfff"}"#, 15),
        (r#"{"version":"\ud83d\u0041"}"#, 13),
        (r#"{"\uDC00":1}"#, 3),
    ] {
        let message = format!("invalid JSON at line 1, column {column}: half of a surrogate pair");
        assert_message(document, &message);
    }
    let document = with("version", json!("VERSION"));
    for good in [r"\ud83d\ude00", r"\\ud800", r"\u00e4", r"\u0041"] {
        let document = document.replace("VERSION", good);
        assert!(
            bluegreen::Policy::parse(document.as_bytes()).is_ok(),
            "{good}"
        );
    }
}

#[test]
fn numbers_are_those_of_json() {
    for bad in ["05", "5.", ".5", "+5", "0x5", "5e"] {
        let weights = format!(r#"{{"blue":95,"green":{bad}}}"#);
        let document = config(&json!({}))
            .to_string()
            .replace(r#"{"blue":50,"green":50}"#, &weights);
        assert!(
            message(document.as_bytes()).starts_with("invalid JSON at line 1, column "),
            "{bad}"
        );
    }
}

#[test]
fn deep_nesting_is_rejected() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_message(nested(16), "an array, must be an object");
    assert_message(
        nested(17),
        "nested deeper than 16 levels, must be at most 16",
    );
    assert_message(
        nested(100_000),
        "nested deeper than 16 levels, must be at most 16",
    );
}

#[test]
fn what_is_no_object_is_rejected() {
    for document in ["null", "true", "7", "\"{}\""] {
        assert_message(document, &format!("{document}, must be an object"));
    }
    assert_message("[]", "an array, must be an object");
}

#[test]
fn rollouts_are_required() {
    assert_message("{}", "rollouts is missing, must be given");
    assert_message(r#"{"rollouts":null}"#, "rollouts: null, must be an array");
    assert_message(
        r#"{"rollouts":{}}"#,
        "rollouts: an object, must be an array",
    );
    assert_message(
        r#"{"rollouts":[null]}"#,
        "rollouts[0]: null, must be an object",
    );
}

#[test]
fn profile_is_one_of_three() {
    for bad in ["", "Lean", "fast"] {
        assert_message(
            with("profile", json!(bad)),
            &format!("profile: {bad:?}, must be full, signalled or lean"),
        );
    }
    assert_message(with("profile", json!(1)), "profile: 1, must be a string");
}

#[test]
fn one_to_a_thousand_rollouts_are_accepted() {
    let rollouts = |count: usize| {
        let fields =
            (0..count).map(|index| json!({ "match": { "path_prefix": format!("/{index}") } }));
        of_rollouts(&fields.collect::<Vec<_>>())
    };
    assert_message(
        rollouts(0).to_string(),
        "rollouts: 0 rollouts, must be 1 to 1000",
    );
    assert_accepted(&rollouts(1));
    assert_accepted(&rollouts(1_000));
    assert_message(
        rollouts(1_001).to_string(),
        "rollouts: 1001 rollouts, must be 1 to 1000",
    );
}

#[test]
fn rollout_names_are_unique() {
    let config = json!({ "rollouts": [
        rollout_json("a", &json!({})),
        rollout_json("b", &json!({ "match": { "path_prefix": "/b" } })),
        rollout_json("a", &json!({ "match": { "path_prefix": "/c" } })),
    ]});
    assert_message(
        config.to_string(),
        r#"rollouts[2].name: "a" is the name of rollouts[0], must be unique"#,
    );
}

#[test]
fn unknown_fields_are_rejected() {
    assert_message(
        with("rollout", json!([])),
        "rollout: unknown field, must be one of version, profile, route_header, color_header, rollouts, feedback, fleet",
    );
    assert_message(
        with("Version", json!("a")),
        "Version: unknown field, must be one of version, profile, route_header, color_header, rollouts, feedback, fleet",
    );
}

#[test]
fn names_of_fields_are_escaped_in_paths() {
    for (name, shown) in [
        ("a\nb", r"a\nb"),
        ("\r\0\t", r"\r\0\t"),
        ("\u{1b}[31m", r"\u{1b}[31m"),
        ("\u{85}", r"\u{85}"),
        ("\u{202e}", r"\u{202e}"),
        ("\"", r#"\""#),
        ("farbe_\u{e4}", "farbe_\u{e4}"),
    ] {
        let rest = "unknown field, must be one of version, profile, route_header, color_header, rollouts, feedback, fleet";
        assert_message(with(name, json!(1)), &format!("{shown}: {rest}"));
        let fields = "unknown field, must be one of blue, green";
        assert_field(
            "clusters",
            json!({ "blue": "a", "green": "b", name: "a" }),
            &format!(".{shown}: {fields}"),
        );
    }
}

#[test]
fn repeated_fields_are_rejected() {
    assert_message(
        with("profile", json!("full")).replacen('{', r#"{"profile":"lean","#, 1),
        "profile: duplicate field, must be given once",
    );
    let nested = config(&json!({}))
        .to_string()
        .replace(r#""blue":50"#, r#""blue":50,"blue":50"#);
    assert_message(
        nested,
        "rollouts[0].weights.blue: duplicate field, must be given once",
    );
}

#[test]
fn version_has_1_to_128_characters_that_can_stand_in_a_log_line() {
    for good in ["a".to_owned(), "ä".repeat(128), "2026-11-23.1".to_owned()] {
        assert_accepted(&serde_json::from_str(&with("version", json!(good))).unwrap());
    }
    let long = "v".repeat(129);
    for bad in ["", &long, "a\n", "\0", "a\tb", "\u{7f}", "\u{85}"] {
        assert_message(
            with("version", json!(bad)),
            &format!("version: {bad:?}, must be 1 to 128 characters without control characters"),
        );
    }
    assert_message(with("version", json!(7)), "version: 7, must be a string");
    assert_message(
        with("version", Value::Null),
        "version: null, must be a string",
    );
}
