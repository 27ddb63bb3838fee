//! What a rollout is, and by which weights it splits its traffic.

use super::{assert_accepted, assert_field, assert_message, assert_rollout, of_rollouts};
use crate::support::config;
use serde_json::{Value, json};

fn without(field: &str) -> String {
    let mut config = config(&json!({}));
    config["rollouts"][0].as_object_mut().unwrap().remove(field);
    config.to_string()
}

#[test]
fn required_fields_are_named() {
    for field in ["name", "weights"] {
        assert_message(
            without(field),
            &format!("rollouts[0]: {field} is missing, must be given"),
        );
    }
}

#[test]
fn clusters_are_required_where_there_is_no_color_header() {
    assert_message(
        without("clusters"),
        "rollouts[0]: clusters is missing, must be given where there is no color_header",
    );
}

#[test]
fn unknown_fields_are_named_where_they_stand() {
    assert_rollout(
        json!({ "weight": 5 }),
        ".weight: unknown field, must be one of name, match, clusters, weights, stable, salt, sticky, override, \
         ramp, guard, releases, quality, stream, shadow",
    );
    assert_field(
        "match",
        json!({ "host": "a" }),
        ".host: unknown field, must be one of hosts, path_prefix",
    );
    assert_field(
        "clusters",
        json!({ "blue": "a", "green": "b", "red": "a" }),
        ".red: unknown field, must be one of blue, green",
    );
    assert_field(
        "weights",
        json!({ "blue": 50, "green": 50, "red": 1 }),
        ".red: unknown field, must be one of blue, green",
    );
}

#[test]
fn names_can_stand_in_a_stat() {
    let long = "n".repeat(65);
    for bad in ["", "A", "a.b", "a b", "ä", "a\n", &long] {
        assert_field(
            "name",
            json!(bad),
            &format!(": {bad:?}, must be 1 to 64 of a-z, 0-9, '_' and '-'"),
        );
    }
    assert_field("name", json!(1), ": 1, must be a string");
    for good in ["a", "_-9", &"n".repeat(64)] {
        assert_accepted(&config(&json!({ "name": good })));
    }
}

#[test]
fn clusters_can_stand_in_a_header() {
    let long = "c".repeat(256);
    for bad in ["", "a b", "a\n", "ä", "\u{7f}", &long] {
        let clusters = json!({ "blue": "a", "green": bad });
        assert_field(
            "clusters",
            clusters,
            &format!(".green: {bad:?}, must be 1 to 255 visible ASCII characters"),
        );
    }
    assert_field(
        "clusters",
        json!({ "blue": "a" }),
        ": green is missing, must be given",
    );
    assert_field(
        "clusters",
        json!({ "blue": 1, "green": "a" }),
        ".blue: 1, must be a string",
    );
    assert_field(
        "clusters",
        json!(["a", "b"]),
        ": an array, must be an object",
    );
    assert_accepted(&config(
        &json!({ "clusters": { "blue": "outbound|80||a.b", "green": "c".repeat(255) } }),
    ));
}

#[test]
fn weights_make_a_hundred() {
    let second = of_rollouts(&[
        json!({ "match": { "path_prefix": "/a" } }),
        json!({ "weights": { "blue": 90, "green": 5 } }),
    ]);
    assert_message(
        second.to_string(),
        "rollouts[1].weights: blue 90 + green 5 = 95, must be 100",
    );
    let thousandth = json!({ "blue": 99.999, "green": 0.002 });
    assert_field(
        "weights",
        thousandth,
        ": blue 99.999 + green 0.002 = 100.001, must be 100",
    );
}

#[test]
fn weights_are_percentages() {
    for bad in [
        "-1", "101", "100.001", "0.0005", "1e1", "\"5\"", "null", "true",
    ] {
        let weights = format!(r#"{{"blue":{bad},"green":5}}"#);
        let document = config(&json!({}))
            .to_string()
            .replace(r#"{"blue":50,"green":50}"#, &weights);
        let message = format!(
            "rollouts[0].weights.blue: {bad}, must be a number from 0 to 100 in steps of 0.001"
        );
        assert_message(document, &message);
    }
    assert_field(
        "weights",
        json!({ "green": 5 }),
        ": blue is missing, must be given",
    );
}

#[test]
fn stable_is_a_color() {
    assert_field("stable", json!("red"), ": \"red\", must be blue or green");
    assert_field("stable", json!("Blue"), ": \"Blue\", must be blue or green");
    assert_field("stable", Value::Null, ": null, must be a string");
}

#[test]
fn salt_is_short_and_without_the_byte_that_ends_it() {
    let rule = "must be at most 255 bytes without a zero byte";
    assert_field("salt", json!("a\0b"), &format!(": \"a\\0b\", {rule}"));
    let long = "s".repeat(256);
    assert_field("salt", json!(long), &format!(": {long:?}, {rule}"));
    assert_field("salt", json!(1), ": 1, must be a string");
    assert_accepted(&config(&json!({ "salt": "s".repeat(255) })));
}
