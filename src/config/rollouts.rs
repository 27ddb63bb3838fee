//! `rollouts`: each by itself, and none like another.

use crate::config::rollout::{ReadRollout, RolloutConfig};
use crate::json::node::{Node, Read};
use crate::json::problems::Problems;
use crate::policy::rollout::Rollout;
use crate::request::host_pattern::HostPattern;
use crate::value::header_name::HeaderName;
use crate::value::name::RolloutName;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use xxhash_rust::xxh64::Xxh64Builder;

const MAX_ROLLOUTS: usize = 1_000;

/// All rollouts, and the index of each by its name.
pub struct Rollouts {
    /// Those that are valid, in the order of the configuration.
    pub valid: Vec<Rollout>,
    /// The index of each name.
    pub names: HashMap<RolloutName, usize, Xxh64Builder>,
    /// The indices of those without clusters.
    pub without_clusters: Vec<usize>,
    /// Headers that hold the secrets of testers, each once.
    pub secret_headers: Vec<HeaderName>,
}

// === impl Rollouts ===

impl Read for Vec<RolloutConfig<'_>> {
    type Valid = Rollouts;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Rollouts> {
        let items = node.array(problems)?;
        if !(1..=MAX_ROLLOUTS).contains(&items.len()) {
            let count = items.len();
            let message = format_args!("{count} rollouts, must be 1 to {MAX_ROLLOUTS}");
            node.problem(problems, message);
            return None;
        }
        let mut rollouts = Vec::with_capacity(items.len());
        for (index, json) in items.into_iter().enumerate() {
            rollouts.push(RolloutConfig::read(&node.item(index, json), problems));
        }
        let names = compare_names(&rollouts, node, problems);
        compare_matches(&rollouts, node, problems);
        let secret_headers = secret_headers(&rollouts);
        let has_none = |read: &Option<ReadRollout>| matches!(read, Some(ReadRollout::Whole(it)) if it.clusters.is_none());
        let without_clusters = rollouts
            .iter()
            .enumerate()
            .filter(|(_, read)| has_none(read));
        let without_clusters = without_clusters.map(|(index, _)| index).collect();
        let valid = rollouts.into_iter().filter_map(|read| match read? {
            ReadRollout::Whole(rollout) => Some(rollout),
            ReadRollout::Partial { .. } => None,
        });
        Some(Rollouts {
            valid: valid.collect(),
            names,
            without_clusters,
            secret_headers,
        })
    }
}

fn secret_headers(rollouts: &[Option<ReadRollout>]) -> Vec<HeaderName> {
    let mut headers = Vec::new();
    for read in rollouts.iter().flatten() {
        if let Some(header) = read.secret_header()
            && !headers.contains(header)
        {
            headers.push(header.clone());
        }
    }
    headers
}

fn compare_names(
    rollouts: &[Option<ReadRollout>],
    node: &Node<'_>,
    problems: &mut Problems,
) -> HashMap<RolloutName, usize, Xxh64Builder> {
    let mut names = HashMap::with_capacity_and_hasher(rollouts.len(), Xxh64Builder::default());
    for (index, read) in rollouts.iter().enumerate() {
        let Some(name) = read.as_ref().and_then(ReadRollout::name) else {
            continue;
        };
        match names.entry(name.clone()) {
            Entry::Vacant(free) => {
                free.insert(index);
            }
            Entry::Occupied(taken) => {
                let (name, other) = (name.as_str(), taken.get());
                problems.push(
                    &node.path().item(index).field("name"),
                    format_args!("{name:?} is the name of rollouts[{other}], must be unique"),
                );
            }
        }
    }
    names
}

fn compare_matches(rollouts: &[Option<ReadRollout>], node: &Node<'_>, problems: &mut Problems) {
    let mut rules: HashMap<(&HostPattern, &str), usize, Xxh64Builder> = HashMap::default();
    for (index, read) in rollouts.iter().enumerate() {
        let Some(matches) = read.as_ref().and_then(ReadRollout::matches) else {
            continue;
        };
        let item = node.path().item(index);
        for host in &matches.hosts {
            let prefix = matches.path_prefix.as_str();
            match rules.entry((host, prefix)) {
                Entry::Vacant(free) => {
                    free.insert(index);
                }
                Entry::Occupied(taken) if *taken.get() == index => problems.push(
                    &item.field("match"),
                    format_args!("duplicate {host}, must be given once"),
                ),
                Entry::Occupied(taken) => problems.push(
                    &item.field("match"),
                    format_args!(
                        "{host} with path_prefix {prefix:?} is the match of rollouts[{}], must be \
                         unique",
                        taken.get()
                    ),
                ),
            }
        }
    }
}
