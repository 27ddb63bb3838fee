//! Hosts: the name in an authority is the one that `http` reads, and the pattern is found that the rule says.

use bluegreen::{HostPattern, MatchRule, Matcher};
use http::uri::Authority;
use proptest::prelude::*;
use std::sync::LazyLock;

use crate::inputs::{a_million, text};

const PIECES: [&str; 7] = ["a", "b", ".", "a.b", ".b.a", "A", "-"];
const PORTS: [&str; 4] = ["", ":80", ":", ":65535"];
const PATTERNS: [&str; 9] = [
    "a", "a.b", "*.b", "*.a.b", "*.b.a.b", "*.a", "b.a", "[::1]", "*.b.a",
];

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| {
    let patterns = PATTERNS.map(|pattern| HostPattern::parse(pattern).unwrap());
    let rules = patterns
        .iter()
        .enumerate()
        .map(|(rollout, host)| MatchRule {
            host,
            path_prefix: "",
            rollout,
        });
    Matcher::new(rules).unwrap()
});

/// An exact pattern, or the longest suffix that something stands before.
fn expected(host: &str) -> Option<usize> {
    let host = host.to_ascii_lowercase();
    let fits = |pattern: &str| match pattern.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => host == pattern,
    };
    let fitting = PATTERNS
        .iter()
        .enumerate()
        .filter(|(_, pattern)| fits(pattern));
    let best = fitting.max_by_key(|(_, pattern)| (!pattern.starts_with('*'), pattern.len()));
    best.map(|(index, _)| index)
}

proptest! {
    #![proptest_config(a_million())]
    #[test]
    fn pattern_is_the_most_specific_for_the_host_that_http_reads(number: u64) {
        let host = match number % 64 {
            0 => "[::1]".to_owned(),
            _ => text(&PIECES, (number / 4).into()),
        };
        let authority = host + PORTS[(number % 4) as usize];
        let found = MATCHER.find(Some(authority.as_bytes()), b"/");
        if let Ok(read) = Authority::try_from(authority.as_str()) {
            prop_assert_eq!(found, expected(read.host()), "{}", authority);
        }
    }
}
