//! Where a byte of the configuration stands in the file, however the file embeds it.

use bluegreen_cli::source::document::Source;
use bluegreen_cli::source::place::Place;

use crate::support::{demo, ecds, shipped};

/// The place of a text in a file, by counting.
fn counted(file: &str, text: &str) -> Place {
    let (line, found) = file
        .lines()
        .enumerate()
        .find(|(_, line)| line.contains(text))
        .unwrap_or_else(|| panic!("no {text} in {file}"));
    let before = &found[..found.find(text).expect("the text")];
    Place {
        line: line + 1,
        column: before.chars().count() + 1,
    }
}

#[track_caller]
fn is_found(file: &str, marker: &str) {
    let source = Source::read(file.to_owned()).expect("a configuration");
    let offset = source.json.find(marker).expect("the marker");
    assert_eq!(source.place(offset), counted(file, marker), "{file}");
}

/// Of all ways to embed it, each with the same configuration.
fn embedded(json: &str) -> Vec<String> {
    let block = ecds(json);
    let folded_into = |value: &str| {
        let head = &block[..block.find("value: |").expect("the value")];
        format!("{head}value: {value}\n")
    };
    let config_map: String = block.lines().map(|line| format!("    {line}\n")).collect();
    vec![
        json.to_owned(),
        block.clone(),
        block.replace('\n', "\r\n"),
        block.replace("value: |\n", "value: |-  # strip\n"),
        block.replace("value: |\n", "value: |2\n"),
        folded_into(&serde_json::Value::from(json).to_string()),
        folded_into(&format!("'{}'", json.replace('\n', " "))),
        format!("kind: ConfigMap\ndata:\n  other: x\n  bluegreen.yaml: |\n{config_map}"),
        format!("# ü\n\n{block}"),
        format!("---\nkind: Other\n---\n{block}"),
    ]
}

#[test]
fn a_byte_is_found_in_every_file() {
    let json = demo(&["\"salt\": \"übersalzen\"", "\"stable\": \"blue\""]);
    for file in embedded(&json) {
        for marker in ["x-user-id", "stable", "salt"] {
            is_found(&file, marker);
        }
    }
}

#[test]
fn the_json_is_what_envoy_hands_over() {
    let source = Source::read(shipped("envoy/bluegreen.yaml")).expect("a configuration");
    assert!(source.json.starts_with("{\n  \"version\": \"1\",\n"));
    assert!(source.json.ends_with("]\n}\n"));
}
