//! Which rollout a request belongs to: the most specific host, within it the longest path prefix.

use crate::request::host_pattern::{HostPattern, MAX_HOST_BYTES};
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// All matches of a config, laid out so that finding one costs about the same for one as for a thousand.
#[derive(Clone, Debug)]
pub struct Matcher {
    exact: Hosts<Prefixes>,
    suffixes: Hosts<Prefixes>,
    any: Prefixes,
}

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

type Hosts<T> = HashMap<Box<[u8]>, T, Xxh64Builder>;

/// The path prefixes of one host in lexical order.
#[derive(Clone, Debug, Default)]
struct Prefixes(Vec<Prefix>);

#[derive(Clone, Debug)]
struct Prefix {
    text: Box<[u8]>,
    rollout: usize,
    /// The longest of the others that this one begins with.
    parent: Option<usize>,
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
        let mut matcher = Self {
            exact: Hosts::default(),
            suffixes: Hosts::default(),
            any: Prefixes::default(),
        };
        for (host, sorted) in hosts {
            let prefixes = Prefixes::new(sorted);
            match host {
                HostPattern::Exact(host) => {
                    matcher.exact.insert(host.as_bytes().into(), prefixes);
                }
                HostPattern::Suffix(suffix) => {
                    matcher.suffixes.insert(suffix.as_bytes().into(), prefixes);
                }
                HostPattern::Any => matcher.any = prefixes,
            }
        }
        Ok(matcher)
    }

    /// The rollout for a request, if there is one. `path` may have a query behind it: no prefix has a `?`,
    /// so none reaches into it.
    pub fn find(&self, authority: Option<&[u8]>, path: &[u8]) -> Option<usize> {
        authority
            .and_then(|authority| self.find_host(authority, path))
            .or_else(|| self.any.find(path))
    }

    fn find_host(&self, authority: &[u8], path: &[u8]) -> Option<usize> {
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
            .and_then(|prefixes| prefixes.find(path))
            .or_else(|| self.find_suffix(&host, path))
    }

    fn find_suffix(&self, host: &[u8], path: &[u8]) -> Option<usize> {
        if self.suffixes.is_empty() {
            return None;
        }
        let dots = host.iter().enumerate().skip(1);
        dots.filter(|&(_, &byte)| byte == b'.')
            .filter_map(|(dot, _)| self.suffixes.get(host.get(dot..)?))
            .find_map(|prefixes| prefixes.find(path))
    }
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

// === impl Prefixes ===

impl Prefixes {
    fn new(sorted: Vec<(&str, usize)>) -> Self {
        let mut prefixes: Vec<Prefix> = Vec::with_capacity(sorted.len());
        for (text, rollout) in sorted {
            let text: Box<[u8]> = text.as_bytes().into();
            let parent = Self::longest(&prefixes, &text);
            prefixes.push(Prefix {
                text,
                rollout,
                parent,
            });
        }
        Self(prefixes)
    }

    fn find(&self, path: &[u8]) -> Option<usize> {
        let index = Self::longest(&self.0, path)?;
        self.0.get(index).map(|prefix| prefix.rollout)
    }

    /// The longest of the sorted `prefixes` that `path` begins with. It is the last one that does not
    /// sort behind the path, or one that this one begins with.
    fn longest(prefixes: &[Prefix], path: &[u8]) -> Option<usize> {
        let mut index = prefixes
            .partition_point(|prefix| *prefix.text <= *path)
            .checked_sub(1)?;
        let nearest = prefixes.get(index)?;
        let shared = nearest.text.iter().zip(path).take_while(|(a, b)| a == b);
        let shared = shared.count();
        loop {
            let prefix = prefixes.get(index)?;
            if prefix.text.len() <= shared {
                return Some(index);
            }
            index = prefix.parent?;
        }
    }
}
