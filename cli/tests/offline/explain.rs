//! `explain`: who serves a request, and why.

use serde_json::{Value, json};
use testbed::{bucket, color};

use crate::support::{Place, Run, demo};

fn explain(json: &str, args: &[&str]) -> Run {
    let place = Place::new(json);
    let run = place.run(&[&["explain", "bluegreen.yaml"], args].concat());
    assert!(run.code == 0 || run.out.is_empty(), "{run:?}");
    run
}

fn told(json: &str, args: &[&str]) -> Value {
    let run = explain(json, &[args, &["--output", "json"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    run.json()
}

/// By the rule of the contract, computed without the filter's code.
#[test]
fn bucket_and_color_are_those_of_the_rule() {
    for index in 0..50 {
        let user = format!("user-{index}");
        let header = format!("X-User-Id: {user}");
        let answer = told(&demo(&[]), &["http://any/", "-H", &header]);
        let bucket = bucket("demo", &user);
        assert_eq!(answer["bucket"], bucket);
        assert_eq!(answer["color"], color("demo", &user, 10_000));
        let least = f64::from(bucket + 1) / 1_000.0;
        assert_eq!(answer["green_from_percent"].as_f64(), Some(least));
    }
}

#[test]
fn the_user_changes_color_at_the_weight_that_is_told() {
    let header = ["-H", "x-user-id: alice"];
    let least = told(&demo(&[]), &["/", header[0], header[1]])["green_from_percent"].clone();
    let thousandths = (least.as_f64().expect("a number") * 1_000.0).round() as u32;
    for (green, expected) in [(thousandths - 1, "blue"), (thousandths, "green")] {
        let weights = format!(
            "{{ \"blue\": {}, \"green\": {} }}",
            f64::from(100_000 - green) / 1_000.0,
            f64::from(green) / 1_000.0
        );
        let json = demo(&[]).replace("{ \"blue\": 90, \"green\": 10 }", &weights);
        assert_eq!(
            told(&json, &["/", header[0], header[1]])["color"],
            expected,
            "at {green}"
        );
    }
}

#[test]
fn one_sentence_and_a_small_table() {
    let run = explain(
        &demo(&[]),
        &["http://api.example.com/v1", "-H", "x-user-id: alice"],
    );
    let expected = "\
demo: blue serves this user, by header x-user-id: bucket 38348 is not below green's 10 %.

rollout        demo (any host, any path)
key            \"alice\", from header x-user-id (source 1 of 1)
bucket         38348 of 100000, salt \"demo\"
color          blue, cluster blue
changes color  blue below a green weight of 38.349 %, green from there on
weights        blue 90 %, green 10 %, from weights
";
    assert_eq!(run.out, expected);
}

#[test]
fn the_first_source_with_a_key_decides() {
    let json = demo(&[]).replace(
        r#"[ { "header": "x-user-id" } ]"#,
        r#"[ { "header": "x-user-id" }, { "cookie": "uid" }, { "query": "user" } ]"#,
    );
    let answer = told(&json, &["http://h/?user=q", "-H", "Cookie: a=b; uid=c"]);
    assert_eq!(
        (&answer["source"], &answer["key"]),
        (&json!("cookie uid"), &json!("c"))
    );
    assert_eq!(answer["source_index"], 1);
    let answer = told(&json, &["http://h/?user=q#x"]);
    assert_eq!(
        (&answer["source"], &answer["key"]),
        (&json!("query parameter user"), &json!("q"))
    );
    let answer = told(&json, &["http://h/"]);
    assert_eq!(
        (&answer["reason"], &answer["color"]),
        (&json!("random"), &Value::Null)
    );
}

#[test]
fn sources_that_envoy_alone_knows_are_said() {
    let json = demo(&[]).replace(
        r#"[ { "header": "x-user-id" } ]"#,
        r#"[ { "metadata": ["jwt", "payload", "sub"] }, "source_ip", { "header": "x-user-id" } ]"#,
    );
    let answer = told(&json, &["/", "-H", "x-user-id: alice"]);
    assert_eq!(answer["source"], "header x-user-id");
    assert_eq!(
        answer["unknown_sources"],
        json!(["metadata jwt/payload/sub", "the client's address"])
    );
    let answer = told(&json, &["/", "--source-ip", "192.0.2.7:1234"]);
    assert_eq!(
        (&answer["source"], &answer["key"]),
        (&json!("the client's address"), &json!("192.0.2.7"))
    );
    let answer = told(&json, &["/", "--metadata", "jwt/payload/sub=bob"]);
    assert_eq!(
        (&answer["key"], &answer["unknown_sources"]),
        (&json!("bob"), &json!([]))
    );
}

#[test]
fn the_most_specific_rollout_is_named_or_none() {
    let json = r#"{ "color_header": "x-c", "rollouts": [
        { "name": "exact", "match": { "hosts": ["api.example.com"], "path_prefix": "/v1" }, "weights": { "blue": 90, "green": 10 } },
        { "name": "suffix", "match": { "hosts": ["*.example.com"] }, "weights": { "blue": 90, "green": 10 } } ] }"#;
    assert_eq!(
        told(json, &["https://API.example.com:8443/v1/x"])["rollout"],
        "exact"
    );
    assert_eq!(
        told(json, &["http://api.example.com/v2"])["rollout"],
        "suffix"
    );
    assert_eq!(
        told(json, &["/v1", "-H", "Host: api.example.com"])["rollout"],
        "exact"
    );
    let run = explain(json, &["http://other.example/"]);
    assert_eq!(
        run.out,
        "No rollout matches other.example and /: the request passes unchanged, but for x-bluegreen-cluster and x-c, \
         which are removed.\n"
    );
}

#[test]
fn overrides_are_granted_or_denied() {
    let sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"; // of "secret"
    let token = format!(
        "\"override\": {{ \"header\": \"x-bg\", \"require\": {{ \"token\": {{ \"header\": \"x-t\", \"sha256\": \"{sha256}\" }} }} }}"
    );
    let json = demo(&[&token]);
    let granted = explain(&json, &["/", "-H", "x-bg: green", "-H", "x-t: secret"]);
    assert!(
        granted
            .out
            .starts_with("demo: green serves this request, by an override: its token allows it.\n"),
        "{granted:?}"
    );
    let denied = told(
        &json,
        &[
            "/",
            "-H",
            "x-bg: green",
            "-H",
            "x-t: wrong",
            "-H",
            "x-user-id: alice",
        ],
    );
    assert_eq!(
        (&denied["color"], &denied["override_denied"]),
        (&json!("blue"), &json!(true))
    );
    let internal = demo(&[r#""override": { "header": "x-bg", "require": "internal" }"#]);
    let denied = explain(&internal, &["/", "-H", "x-bg: green"]);
    assert!(
        denied
            .out
            .contains("note: the override is ignored, unless Envoy finds the client internal"),
        "{denied:?}"
    );
    let granted = told(
        &internal,
        &["/", "-H", "x-bg: green", "-H", "x-envoy-internal: true"],
    );
    assert_eq!(
        (&granted["color"], &granted["reason"]),
        (&json!("green"), &json!("override"))
    );
}

#[test]
fn feedback_is_no_traffic() {
    let json = demo(&[]).replace(
        "{\n  \"rollouts\"",
        "{\n  \"feedback\": { \"path\": \"/f\", \"require\": \"nothing\" },\n  \"rollouts\"",
    );
    let run = explain(&json, &["http://h/f?rollout=demo"]);
    assert_eq!(
        run.out,
        "The filter itself answers this request: it is the path of feedback.\n"
    );
}

#[test]
fn a_ramp_counts_at_the_time_that_is_asked_for() {
    let ramp = r#""ramp": { "start": "2026-11-24T12:00:00+01:00", "steps": [ { "weight": 50, "hold": "10m" }, { "weight": 100 } ] }"#;
    let json = demo(&[ramp]);
    let at = |time| told(&json, &["/", "-H", "x-user-id: alice", "--at", time]);
    assert_eq!(
        at("2026-11-24T10:59:59Z")["weights"],
        json!({ "blue": 90, "green": 10 })
    );
    assert_eq!(at("2026-11-24T11:00:00Z")["color"], "green");
    assert_eq!(
        at("2026-11-24T11:10:00Z")["weights"],
        json!({ "blue": 0, "green": 100 })
    );
}

#[test]
fn what_no_request_can_be_is_wrong_usage() {
    for args in [
        &["http://a b/"][..],
        &["ftp://x/"],
        &["/", "-H", "no colon"],
        &["/", "-H", "bad name: x"],
        &["/", "--metadata", "x"],
        &["/", "--metadata", "x=y"],
        &["/", "--at", "noon"],
        &[""],
    ] {
        let run = explain(&demo(&[]), args);
        assert_eq!(run.code, 2, "{args:?}: {run:?}");
        assert!(!run.err.is_empty(), "{args:?}");
    }
}
