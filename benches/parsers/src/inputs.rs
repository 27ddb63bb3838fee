//! Requests as Envoy hands them over, and configurations that have much to look for.

use bluegreen::{HostPattern, MatchRule, Matcher, Policy};
use serde_json::{Value, json};

/// Just below Envoy's default limit of 60 KiB for all headers.
pub const LARGE: usize = 58_000;

/// Envoy's default limit.
pub const HEADERS: usize = 100;

/// A text repeated to about the largest size.
pub fn filled(text: &str) -> String {
    text.repeat(LARGE / text.len())
}

/// The block that Envoy hands over.
pub fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let length = |length: usize| (length as u32).to_le_bytes();
    let mut block = length(headers.len()).to_vec();
    for (name, value) in headers {
        block.extend(length(name.len()));
        block.extend(length(value.len()));
    }
    for text in headers.iter().flat_map(|&(name, value)| [name, value]) {
        block.extend(text.as_bytes());
        block.push(0);
    }
    block
}

/// What a client sends of these headers.
pub fn sent(headers: &[(&str, &str)]) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum()
}

/// A matcher of a thousand path prefixes, each of which begins with the one before.
pub fn nested_paths() -> Matcher {
    let prefixes: Vec<String> = (0..1_000)
        .map(|length| format!("/{}", "a".repeat(length)))
        .collect();
    let rules = prefixes
        .iter()
        .enumerate()
        .map(|(rollout, path_prefix)| MatchRule {
            host: &HostPattern::Any,
            path_prefix,
            rollout,
        });
    Matcher::new(rules).expect("prefixes that differ")
}

/// A matcher of all suffixes that a host of one-letter labels can have, with path prefixes for each.
pub fn nested_hosts() -> Matcher {
    let hosts: Vec<HostPattern> = (1..126)
        .map(|labels| HostPattern::parse(&format!("*{}", ".a".repeat(labels))).expect("a host"))
        .collect();
    let paths: Vec<String> = (0..8).map(|path| format!("/v{path}/")).collect();
    let pairs = hosts
        .iter()
        .flat_map(|host| paths.iter().map(move |path| (host, path)));
    let rules = pairs
        .enumerate()
        .map(|(rollout, (host, path_prefix))| MatchRule {
            host,
            path_prefix,
            rollout,
        });
    Matcher::new(rules).expect("matches that differ")
}

/// A thousand rollouts, each with an override by a token in a header of its own and six sources of the key.
pub fn policy() -> Policy {
    let rollout = |index: usize| {
        json!({
            "name": format!("r{index}"),
            "match": { "path_prefix": format!("/{}", "p".repeat(index)) },
            "clusters": { "blue": "blue", "green": "green" },
            "weights": { "blue": 50, "green": 50 },
            "sticky": [
                { "header": "x-user-id" }, { "header": "x-session" },
                { "cookie": "uid" }, { "cookie": "u" },
                { "query": "user" }, { "query": "u" },
            ],
            "quality": { "min_samples": 500, "scores": { "rating": { "better": "higher", "min": 1 } } },
            "override": {
                "header": "x-color", "cookie": "color",
                "require": { "token": { "header": format!("x-token-{index}"), "sha256": "0".repeat(64) } },
            },
        })
    };
    let rollouts: Vec<Value> = (0..1_000).map(rollout).collect();
    let config = json!({
        "rollouts": rollouts,
        "feedback": { "path": "/feedback", "require": "nothing" },
    });
    Policy::parse(config.to_string().as_bytes()).expect("a valid configuration")
}
