//! `match`: which requests belong to a rollout.

use super::{assert_accepted, assert_field, assert_message, of_rollouts};
use crate::support::config;
use serde_json::json;

#[test]
fn hosts_are_exact_or_a_suffix() {
    let long = format!("{}.example", "a".repeat(250));
    for bad in [
        "",
        "*",
        "*.",
        "*a.example",
        "*.*.example",
        "a.*.example",
        "a.*",
        "a.example:80",
        "*.a.example:80",
        "a b",
        "a..example",
        ".example",
        "a.example.",
        "https://a.example",
        "a.example/",
        "[::1]:80",
        "[::g]",
        "::1",
        "*.[::1]",
        "ä.example",
        &long,
    ] {
        let hosts = json!({ "hosts": ["good.example", bad] });
        let message = format!(
            ".hosts[1]: {bad:?}, must be a host without port, or \"*.\" and the end of one"
        );
        assert_field("match", hosts, &message);
    }
    assert_field(
        "match",
        json!({ "hosts": [] }),
        ".hosts: [], must be one host or more",
    );
    assert_field(
        "match",
        json!({ "hosts": "a.example" }),
        ".hosts: \"a.example\", must be an array",
    );
    assert_field(
        "match",
        json!({ "hosts": [1] }),
        ".hosts[0]: 1, must be a string",
    );
    let good = [
        "localhost",
        "A.example",
        "*.example",
        "xn--nxa.example",
        "a_b",
        "192.0.2.1",
        "[::1]",
        "[2001:DB8::1]",
    ];
    assert_accepted(&config(&json!({ "match": { "hosts": good } })));
}

#[test]
fn path_prefix_can_be_that_of_a_path() {
    for bad in ["", "v1", "/a?b", "/a#b", "/a b", "/ä", "/a\n"] {
        let message = format!(
            ".path_prefix: {bad:?}, must be a path of visible ASCII characters without '?' and '#' that begins with '/'"
        );
        assert_field("match", json!({ "path_prefix": bad }), &message);
    }
    assert_accepted(&config(
        &json!({ "match": { "path_prefix": "/v1/%20;a=b" } }),
    ));
}

#[test]
fn two_rollouts_do_not_have_the_same_match() {
    for (one, other, message) in [
        (json!({}), json!({}), "any host with path_prefix \"\" is"),
        (
            json!({ "path_prefix": "/v1" }),
            json!({ "path_prefix": "/v1" }),
            "any host with path_prefix \"/v1\" is",
        ),
        (
            json!({ "hosts": ["a.example"] }),
            json!({ "hosts": ["b.example", "A.Example"] }),
            "host a.example with path_prefix \"\" is",
        ),
        (
            json!({ "hosts": ["*.a.example"], "path_prefix": "/" }),
            json!({ "hosts": ["*.A.example"], "path_prefix": "/" }),
            "host *.a.example with path_prefix \"/\" is",
        ),
    ] {
        let rollouts = of_rollouts(&[
            json!({ "match": { "hosts": ["first.example"] } }),
            json!({ "match": one }),
            json!({ "match": other }),
        ]);
        let message =
            format!("rollouts[2].match: {message} the match of rollouts[1], must be unique");
        assert_message(rollouts.to_string(), &message);
    }
}

#[test]
fn one_rollout_has_a_host_once() {
    for (hosts, host) in [
        (json!(["a", "a"]), "a"),
        (json!(["a.example", "b.example", "A.Example"]), "a.example"),
        (json!(["*.a.example", "*.A.example"]), "*.a.example"),
    ] {
        let message = format!("rollouts[1].match: duplicate host {host}, must be given once");
        let rollouts = of_rollouts(&[
            json!({ "match": { "hosts": ["first.example"] } }),
            json!({ "match": { "hosts": hosts, "path_prefix": "/v1" } }),
        ]);
        assert_message(rollouts.to_string(), &message);
    }
}

#[test]
fn matches_that_differ_in_host_or_prefix_live_side_by_side() {
    let matches = [
        json!({}),
        json!({ "path_prefix": "/" }),
        json!({ "hosts": ["a.example"] }),
        json!({ "hosts": ["*.a.example"] }),
        json!({ "hosts": ["a.example"], "path_prefix": "/" }),
        json!({ "hosts": ["A.example"], "path_prefix": "/V1" }),
        json!({ "hosts": ["a.example"], "path_prefix": "/v1" }),
    ];
    assert_accepted(&of_rollouts(&matches.map(|it| json!({ "match": it }))));
}
