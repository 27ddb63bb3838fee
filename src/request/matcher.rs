//! Which rollout a request belongs to: the most specific host, within it the longest path prefix.

use crate::request::host_pattern::{HostPattern, MAX_HOST_BYTES};
use crate::request::prefixes::Prefixes;
use crate::value::sorted::sorted;
use std::collections::HashMap;
use std::sync::Arc;
use xxhash_rust::xxh64::Xxh64Builder;

/// All matches of a config, laid out so that finding one costs about the same for one as for a thousand.
#[derive(Clone, Debug)]
pub struct Matcher {
    exact: HashMap<Box<[u8]>, Paths, Xxh64Builder>,
    /// By their last letters first. Each has the rollouts of shorter ones too, for paths of which it has none.
    suffixes: Prefixes<Paths>,
    any: Paths,
}

/// The rollouts of one host by path prefix.
type Paths = Prefixes<usize>;

/// One rollout's claim to a host and a path prefix.
#[derive(Clone, Debug)]
pub struct MatchRule<'a> {
    /// Which host.
    pub host: &'a HostPattern,
    /// How the path begins; empty where any path will do.
    pub path_prefix: &'a str,
    /// The index of the rollout.
    pub rollout: usize,
}

// === impl Matcher ===

impl Matcher {
    /// # Errors
    /// The first claim that another rollout, whose index is given, has made before.
    pub fn new<'a>(
        claims: impl IntoIterator<Item = MatchRule<'a>>,
    ) -> Result<Self, (MatchRule<'a>, usize)> {
        let mut hosts: HashMap<&HostPattern, Vec<(&str, usize)>, Xxh64Builder> = HashMap::default();
        for claim in claims {
            let sorted = hosts.entry(claim.host).or_default();
            match sorted.binary_search_by_key(&claim.path_prefix, |&(prefix, _)| prefix) {
                Err(place) => sorted.insert(place, (claim.path_prefix, claim.rollout)),
                Ok(taken) => {
                    let other = sorted.get(taken).map_or(claim.rollout, |&(_, other)| other);
                    return Err((claim, other));
                }
            }
        }
        let mut exact = HashMap::default();
        let mut suffixes = Vec::new();
        let mut any = Paths::default();
        for (host, sorted) in hosts {
            let sorted = sorted.into_iter();
            let paths = Paths::new(sorted.map(|(text, rollout)| (text.as_bytes().into(), rollout)));
            match host {
                HostPattern::Exact(host) => {
                    exact.insert(host.as_bytes().into(), paths);
                }
                HostPattern::Suffix(suffix) => suffixes.push((reversed(suffix.as_bytes()), paths)),
                HostPattern::Any => any = paths,
            }
        }
        Ok(Self {
            exact,
            suffixes: nested(suffixes),
            any,
        })
    }

    /// The rollout for a request, if there is one. `path` may have a query behind it: no prefix has a `?`,
    /// so none reaches into it.
    pub fn find(&self, authority: Option<&[u8]>, path: &[u8]) -> Option<usize> {
        authority
            .and_then(|authority| self.find_host(authority, path))
            .or_else(|| self.any.find(path))
            .copied()
    }

    fn find_host(&self, authority: &[u8], path: &[u8]) -> Option<&usize> {
        if self.exact.is_empty() && self.suffixes.is_empty() {
            return None;
        }
        let host = without_port(authority);
        if host.len() > MAX_HOST_BYTES {
            return None;
        }
        let host = host.to_ascii_lowercase();
        self.exact
            .get(host.as_slice())
            .and_then(|paths| paths.find(path))
            .or_else(|| self.find_suffix(&host, path))
    }

    fn find_suffix(&self, host: &[u8], path: &[u8]) -> Option<&usize> {
        if self.suffixes.is_empty() {
            return None;
        }
        // There has to be something before the suffix.
        let (_, behind) = host.split_first()?;
        self.suffixes.find(&reversed(behind))?.find(path)
    }
}

fn nested(suffixes: Vec<(Arc<[u8]>, Paths)>) -> Prefixes<Paths> {
    let mut nested = Prefixes::default();
    for (suffix, paths) in sorted(suffixes, |(one, _), (other, _)| one.cmp(other)) {
        let paths = match nested.find(&suffix) {
            Some(shorter) => paths.or(shorter),
            None => paths,
        };
        nested.push(suffix, paths);
    }
    nested
}

fn reversed(text: &[u8]) -> Arc<[u8]> {
    text.iter().rev().copied().collect()
}

fn without_port(authority: &[u8]) -> &[u8] {
    if authority.ends_with(b"]") {
        return authority;
    }
    let colon = authority.iter().rposition(|&byte| byte == b':');
    colon
        .and_then(|colon| authority.get(..colon))
        .unwrap_or(authority)
}
