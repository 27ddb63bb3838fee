//! The matcher against the rule of the contract, word by word.

use bluegreen::{HostPattern, MatchRule, Matcher};
use proptest::prelude::*;

/// The rule of the contract word by word, over all claims in turn.
fn expected(claims: &[(HostPattern, String)], host: Option<&str>, path: &str) -> Option<usize> {
    let host = host.map(|host| host.split(':').next().unwrap().to_ascii_lowercase());
    let rank = |pattern: &HostPattern| match (pattern, &host) {
        (HostPattern::Exact(name), Some(host)) if name == host => Some(usize::MAX),
        (HostPattern::Suffix(end), Some(host)) if host.len() > end.len() && host.ends_with(end) => {
            Some(end.len())
        }
        (HostPattern::Any, _) => Some(0),
        _ => None,
    };
    let path = path.split('?').next().unwrap();
    let fitting = claims
        .iter()
        .enumerate()
        .filter_map(|(index, (pattern, prefix))| {
            let rank = rank(pattern)?;
            path.starts_with(prefix)
                .then_some((rank, prefix.len(), index))
        });
    fitting.max().map(|(.., index)| index)
}

fn pattern() -> impl Strategy<Value = HostPattern> {
    prop_oneof![
        "(\\*\\.)?([ab]\\.){0,3}[ab]".prop_map(|text| HostPattern::parse(&text).unwrap()),
        Just(HostPattern::Any),
    ]
}

// The letters of paths sort before and behind the '?' of a query.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn matcher_agrees_with_the_rule_word_by_word(
        claims in proptest::collection::vec((pattern(), "(/[a!@]{0,2}){0,4}"), 0..40),
        requests in proptest::collection::vec(
            (proptest::option::of("([abAB]\\.){0,4}[abAB](:80)?"), "(/[a!@]{0,2}){0,5}(\\?[/a!@]{0,3})?"),
            0..40,
        ),
    ) {
        let mut unique: Vec<(HostPattern, String)> = Vec::new();
        for claim in claims {
            if !unique.contains(&claim) {
                unique.push(claim);
            }
        }
        let matcher = Matcher::new(unique.iter().enumerate().map(|(rollout, (host, path_prefix))| {
            MatchRule { host, path_prefix, rollout }
        })).unwrap();
        for (host, path) in requests {
            let found = matcher.find(host.as_deref().map(str::as_bytes), path.as_bytes());
            prop_assert_eq!(found, expected(&unique, host.as_deref(), &path), "{:?} {}", host, path);
        }
    }

    #[test]
    fn any_authority_and_path_can_be_looked_up(authority: Option<Vec<u8>>, path: Vec<u8>) {
        let suffix = HostPattern::parse("*.example").unwrap();
        let claim = MatchRule { host: &suffix, path_prefix: "/", rollout: 0 };
        let found = Matcher::new([claim]).unwrap().find(authority.as_deref(), &path);
        prop_assert!(found.is_none() || path.starts_with(b"/"));
    }
}
