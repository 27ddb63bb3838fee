//! `match`: which requests belong to a rollout.

use crate::config::kind::{Host, UrlPath};
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use crate::policy::rollout::Match;
use crate::request::host_pattern::HostPattern;
use serde::Deserialize;

/// Which requests belong to a rollout. The most specific match wins: an exact host, then the longest
/// suffix, then any host; within that the longest path prefix.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct MatchConfig<'d> {
    /// One of these hosts; any where absent.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1)))]
    hosts: Field<'d, Vec<Host>>,
    /// How the path begins; any path where absent.
    #[serde(default)]
    path_prefix: Field<'d, UrlPath>,
}

// === impl MatchConfig ===

impl Read for MatchConfig<'_> {
    type Valid = Match;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Match> {
        let before = problems.count();
        let raw: MatchConfig<'_> = read_object(node, problems)?;
        let all = Match::default();
        let matches = Match {
            hosts: raw.hosts.optional(node, problems).unwrap_or(all.hosts),
            path_prefix: raw.path_prefix.optional(node, problems).unwrap_or_default(),
        };
        (problems.count() == before).then_some(matches)
    }
}

impl Read for Vec<Host> {
    type Valid = Vec<HostPattern>;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Vec<HostPattern>> {
        let items = node.array(problems)?;
        if items.is_empty() {
            node.problem(problems, "[], must be one host or more");
        }
        let mut hosts = Vec::with_capacity(items.len());
        for (index, json) in items.into_iter().enumerate() {
            hosts.extend(Host::read(&node.item(index, json), problems));
        }
        Some(hosts)
    }
}
