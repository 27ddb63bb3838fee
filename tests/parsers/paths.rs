//! Path prefixes of nested hosts, against the rule word by word.

use bluegreen::{HostPattern, MatchRule, Matcher};
use proptest::prelude::*;

use crate::inputs::{a_million, text};

const PIECES: [&str; 5] = ["/", "a", "aa", "!", "/a/"];
const HOSTS: [&str; 4] = ["x.b.c", "*.b.c", "*.c", ""];

/// A path of up to so many bits, most of them short.
fn path(rng: &mut fastrand::Rng, bits: u32) -> String {
    let bits = rng.u32(1..bits);
    format!("/{}", text(&PIECES, rng.u128(..1 << bits)))
}

/// Twenty prefixes of each host but the last, which stands for any.
fn rules(seed: u64) -> Vec<(HostPattern, String)> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut rules = Vec::new();
    for _ in 0..80 {
        let host = match rng.choice(HOSTS).unwrap() {
            "" => HostPattern::Any,
            host => HostPattern::parse(host).unwrap(),
        };
        let rule = (host, path(&mut rng, 24));
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rules
}

fn matcher(rules: &[(HostPattern, String)]) -> Matcher {
    let rules = rules.iter().enumerate();
    let rules = rules.map(|(rollout, (host, path_prefix))| MatchRule {
        host,
        path_prefix,
        rollout,
    });
    Matcher::new(rules).unwrap()
}

/// The most specific host that has a prefix of the path, and of those the longest.
fn expected(rules: &[(HostPattern, String)], path: &str) -> Option<usize> {
    let rank = |host: &HostPattern| match host {
        HostPattern::Exact(_) => usize::MAX,
        HostPattern::Suffix(suffix) => suffix.len(),
        HostPattern::Any => 0,
    };
    let fitting = rules
        .iter()
        .enumerate()
        .filter(|(_, (_, prefix))| path.starts_with(prefix));
    let best = fitting.max_by_key(|(_, (host, prefix))| (rank(host), prefix.len()));
    best.map(|(index, _)| index)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(a_million().cases / 1_000))]
    #[test]
    fn prefix_is_the_longest_of_the_most_specific_host(seed: u64) {
        let rules = rules(seed);
        let matcher = matcher(&rules);
        let mut rng = fastrand::Rng::with_seed(!seed);
        for _ in 0..1_000 {
            let path = path(&mut rng, 40);
            let found = matcher.find(Some(b"x.b.c:80"), path.as_bytes());
            prop_assert_eq!(found, expected(&rules, &path), "{}", path);
        }
    }
}
