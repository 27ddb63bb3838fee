//! `check`: what it finds in a file, and where.

use crate::support::{Place, Run, demo, ecds, run_in, shipped};

fn check(text: &str) -> Run {
    Place::new(text).run(&["check", "bluegreen.yaml", "--at", "2026-11-24T12:00:00Z"])
}

/// How many lines of the shipped file stand before the configuration.
fn head_lines() -> usize {
    ecds("").lines().count()
}

#[track_caller]
fn finds(text: &str, lines: &[&str]) {
    let run = check(text);
    let found: Vec<&str> = run.out.lines().collect();
    assert_eq!(found[..found.len() - 1], *lines, "{run:?}");
    assert_eq!(run.code, 1, "{run:?}");
}

#[test]
fn the_shipped_files_are_valid() {
    for file in ["envoy/bluegreen.yaml", "deploy/kubernetes/rollout.yaml"] {
        let run = check(&shipped(file));
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{file}: {run:?}");
        assert!(
            run.out
                .starts_with("bluegreen.yaml: valid, version 1, 1 rollout, fingerprint ")
        );
        assert_eq!(run.out.lines().count(), 1, "{file}: {run:?}");
    }
}

#[test]
fn standard_input_is_a_file() {
    let run = run_in(
        std::path::Path::new("."),
        &["check", "-"],
        &ecds(&demo(&[])),
    );
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.out.starts_with("standard input: valid, 1 rollout, "),
        "{run:?}"
    );
}

#[test]
fn each_problem_has_its_path_line_and_column() {
    let json = r#"{
  "rollouts": [
    { "name": "demo", "clusters": { "blue": "b", "green": "g" }, "weights": { "blue": 90, "green": 5 } },
    {
      "name": "Second",
      "match": { "path_prefix": "/v1" },
      "clusters": { "blue": "b", "green": "g" },
      "weights": { "blue": 90, "green": 10 },
      "sticky": [ { "heder": "x" } ]
    }
  ]
}
"#;
    let problems = [
        (
            3,
            66,
            "rollouts[0].weights: blue 90 + green 5 = 95, must be 100",
        ),
        (
            5,
            7,
            "rollouts[1].name: \"Second\", must be 1 to 64 of a-z, 0-9, '_' and '-'",
        ),
        (
            9,
            21,
            "rollouts[1].sticky[0].heder: unknown field, must be one of header, cookie, query, metadata, source_ip, \
             new_cookie",
        ),
    ];
    for (text, down, right) in [(json.to_owned(), 0, 0), (ecds(json), head_lines(), 10)] {
        let lines = problems.map(|(line, column, problem)| {
            format!(
                "bluegreen.yaml:{}:{}: error: {problem}",
                line + down,
                column + right
            )
        });
        finds(&text, &lines.each_ref().map(String::as_str));
    }
}

#[test]
fn of_a_duplicate_field_the_second_one_is_shown() {
    let json = demo(&["\"stable\": \"blue\"", "\"stable\": \"green\""]);
    finds(
        &json,
        &["bluegreen.yaml:9:7: error: rollouts[0].stable: duplicate field, must be given once"],
    );
}

#[test]
fn all_problems_are_shown_however_many() {
    let rollout = |index: usize| {
        format!(
            "{{ \"name\": \"r{index}\", \"match\": {{ \"path_prefix\": \"/{index}\" }}, \"clusters\": {{ \"blue\": \
             \"b\", \"green\": \"g\" }}, \"weights\": {{ \"blue\": 1, \"green\": 1 }} }}"
        )
    };
    let rollouts: Vec<String> = (0..100).map(rollout).collect();
    let run = check(&format!(
        "{{ \"rollouts\": [\n{}\n] }}",
        rollouts.join(",\n")
    ));
    assert_eq!(run.out.lines().count(), 101, "{run:?}");
    assert!(run.out.contains("bluegreen.yaml:101:"), "{run:?}");
    assert!(run.out.ends_with("100 errors, 0 warnings\n"), "{run:?}");
}

#[test]
fn broken_json_is_shown_where_it_breaks() {
    let json = "{\n  \"rollouts\": [,]\n}\n";
    finds(
        json,
        &["bluegreen.yaml:2:16: error: invalid JSON: expected value"],
    );
    finds(
        &ecds(json),
        &[&format!(
            "bluegreen.yaml:{}:26: error: invalid JSON: expected value",
            head_lines() + 2
        )],
    );
}

#[test]
fn a_file_without_one_configuration_is_a_finding() {
    let two = format!("{}---\n{}", ecds(&demo(&[])), ecds(&demo(&[])));
    let none = "no plugin configuration, must be an ECDS file with a `configuration` of the type \
                google.protobuf.StringValue, or the JSON alone";
    let cases = [
        ("", "bluegreen.yaml: error: the file is empty".to_owned()),
        (
            "a: b: c\n",
            "bluegreen.yaml:1:5: error: not YAML: mapping values are not allowed in this context"
                .to_owned(),
        ),
        ("just a text\n", format!("bluegreen.yaml: error: {none}")),
        ("resources: []\n", format!("bluegreen.yaml: error: {none}")),
        (
            &two,
            format!(
                "bluegreen.yaml: error: 2 plugin configurations, at lines {} and {}, must be one",
                head_lines() + 1,
                2 * head_lines() + demo(&[]).lines().count() + 2
            ),
        ),
    ];
    for (text, line) in &cases {
        finds(text, &[line]);
    }
}

#[test]
fn a_struct_in_the_place_of_a_string_is_explained() {
    let text = ecds("{}").replace("StringValue", "Struct");
    let run = check(&text);
    assert_eq!(run.code, 1);
    assert!(
        run.out
            .contains(":10:7: error: the configuration is a google.protobuf.Struct"),
        "{run:?}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_wrong_usage() {
    let run = Place::new("").run(&["check", "nowhere.yaml"]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert_eq!(
        run.err,
        "bluegreen: nowhere.yaml: No such file or directory\n"
    );
}

#[test]
fn json_has_the_same_findings() {
    let json = demo(&[]).replace("90", "91");
    let run = Place::new(&json).run(&["check", "bluegreen.yaml", "--output", "json"]);
    assert_eq!(run.code, 1);
    let report = run.json();
    assert_eq!(report["valid"], false);
    assert_eq!(
        report["findings"],
        serde_json::json!([{
            "severity": "error", "line": 6, "column": 7, "path": "rollouts[0].weights",
            "message": "blue 91 + green 10 = 101, must be 100",
        }])
    );
}

#[test]
fn a_ramp_that_is_long_over_is_a_warning() {
    let ramp = r#""ramp": { "start": "2026-11-20T10:00:00Z", "steps": [ { "weight": 25, "hold": "1h" }, { "weight": 100 } ] }"#;
    let text = demo(&[ramp]);
    let run = check(&text);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.out.starts_with(
            "bluegreen.yaml:8:17: warning: rollouts[0].ramp.start: long past: the last step has been due since \
             2026-11-20T11:00:00Z, for 4days 1h, so green gets 100 % as soon as this is in force\n"
        ),
        "{run:?}"
    );
    let strict = Place::new(&text).run(&[
        "check",
        "bluegreen.yaml",
        "--strict",
        "--at",
        "2026-11-24T12:00:00Z",
    ]);
    assert_eq!(strict.code, 1, "{strict:?}");
    let under_way = Place::new(&text).run(&[
        "check",
        "bluegreen.yaml",
        "--strict",
        "--at",
        "2026-11-20T10:59:59Z",
    ]);
    assert_eq!(under_way.code, 0, "{under_way:?}");
}

#[test]
fn limits_finer_than_the_samples_are_a_warning() {
    let quality = |min_samples: u32| {
        demo(&[&format!(
            "\"quality\": {{ \"min_samples\": {min_samples}, \"max_f1_drop\": 1, \"min_precision\": 99.9 }}"
        )])
    };
    let run = check(&quality(500));
    let warnings: Vec<&str> = run.out.lines().take(2).collect();
    assert_eq!(
        warnings,
        [
            "bluegreen.yaml:8:40: warning: rollouts[0].quality.max_f1_drop: 1 % can't be judged with min_samples 500: where \
             both colors are at 90.00 %, it takes some 11536 of each color to be sure that it is kept",
            "bluegreen.yaml:8:58: warning: rollouts[0].quality.min_precision: 99.9 % can't be judged with min_samples 500: \
             where both colors are at 99.95 %, it takes some 36194 of each color to be sure that it is kept",
        ],
        "{run:?}"
    );
    assert_eq!(check(&quality(40_000)).out.lines().count(), 1);
}

#[test]
fn capabilities_that_a_file_does_not_allow_are_found() {
    let feedback = r#"{ "feedback": { "path": "/f", "require": "internal" }, "rollouts": [ { "name": "demo", "clusters": { "blue": "b", "green": "g" }, "weights": { "blue": 90, "green": 10 } } ] }"#;
    let without = |capability: &str| {
        let line = format!("          {capability}: {{}}\n");
        let text = ecds(feedback);
        assert!(text.contains(&line));
        text.replace(&line, "")
    };
    let run = check(&without("proxy_on_tick"));
    assert_eq!(run.code, 1);
    assert!(run.out.contains("error: proxy_on_tick is not among allowed_capabilities: the filter does not work without"), "{run:?}");
    let run = check(&without("proxy_on_request_body"));
    assert!(
        run.out
            .contains("warning: feedback: proxy_on_request_body is not among"),
        "{run:?}"
    );
    let run = check(&ecds(feedback).replace(
        "allow_on_headers_stop_iteration: true",
        "allow_on_headers_stop_iteration: false",
    ));
    assert!(
        run.out
            .contains("warning: feedback: allow_on_headers_stop_iteration is not true"),
        "{run:?}"
    );
    let run = check(&without("clock_time_get"));
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.out.contains("warning: clock_time_get is not among"),
        "{run:?}"
    );
}

#[test]
fn streams_need_bodies_of_responses() {
    let streamed = r#"{ "rollouts": [ { "name": "demo", "clusters": { "blue": "b", "green": "g" }, "weights": { "blue": 90, "green": 10 }, "stream": { "first_chunk": true } } ] }"#;
    let run = check(&ecds(streamed));
    assert_eq!(run.code, 1);
    let message = "error: rollouts[0].stream: proxy_on_response_body is not among allowed_capabilities: bodies of \
                   responses do not reach the filter";
    assert!(run.out.contains(message), "{run:?}");
    let commented = "          # proxy_on_response_body: {}\n";
    let shipped = ecds(streamed);
    assert!(shipped.contains(commented));
    let run = check(&shipped.replace(commented, &commented.replace("# ", "")));
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn secrets_are_never_shown() {
    let json = demo(&[
        r#""override": { "header": "x-b", "require": { "token": { "header": "x-t", "sha256": "hunter2" } } }"#,
    ]);
    let run = check(&json);
    assert_eq!(run.code, 1);
    assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
}
