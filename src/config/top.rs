//! The configuration as a whole.

use crate::config::errors::ConfigErrors;
use crate::config::feedback::FeedbackConfig;
use crate::config::fleet::FleetConfig;
use crate::config::kind::{StatsProfile, Version, WritableHeader};
use crate::config::rollout::RolloutConfig;
use crate::json::document::Document;
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use crate::policy::policy::Policy;
use crate::policy::rollout::Rollout;
use crate::request::matcher::{MatchRule, Matcher};
use crate::value::header_name::HeaderName;
use crate::value::sorted::sorted;
use serde::Deserialize;
use xxhash_rust::xxh64::xxh64;

/// The configuration of bluegreen, a filter for Envoy that decides, request by request, whether the
/// blue or the green cluster serves it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Config<'d> {
    /// The operator's name of this configuration, which is logged when it comes into force.
    #[serde(default)]
    version: Field<'d, Version>,
    /// How the filter learns how streams end, and how much the stats show; `full` where absent.
    #[serde(default)]
    profile: Field<'d, StatsProfile>,
    /// The request header that gets the name of the cluster; `x-bluegreen-cluster` where absent.
    #[serde(default)]
    route_header: Field<'d, WritableHeader>,
    /// The request and response header that gets the name of the color; none where absent.
    #[serde(default)]
    color_header: Field<'d, WritableHeader>,
    /// The rollouts.
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1, max = 1_000)))]
    rollouts: Field<'d, Vec<RolloutConfig<'d>>>,
    /// Where services report how predictions turned out.
    #[serde(default)]
    feedback: Field<'d, FeedbackConfig<'d>>,
    /// The store through which several Envoys share verdicts and counts; none where absent.
    #[serde(default)]
    fleet: Field<'d, FleetConfig<'d>>,
}

// === impl Policy ===

impl Policy {
    /// Reads a configuration.
    ///
    /// # Errors
    /// All that is wrong with it: where, what was found, and what is allowed.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigErrors> {
        Self::parse_keeping(json, Problems::MAX_KEPT)
    }

    /// Reads a configuration, and keeps the first `max_problems` of what is wrong with it.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    pub fn parse_keeping(json: &[u8], max_problems: usize) -> Result<Self, ConfigErrors> {
        let document = Document::parse(json).map_err(ConfigErrors::of)?;
        let mut problems = Problems::keeping(max_problems);
        let policy = Config::read(&document.root(), &mut problems);
        match policy.filter(|_| problems.count() == 0) {
            Some(policy) => Ok(Self {
                fingerprint: lower_half(xxh64(json, 0)),
                ..policy
            }),
            None => Err(problems.into()),
        }
    }
}

fn lower_half(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

// === impl Config ===

impl Read for Config<'_> {
    type Valid = Policy;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Policy> {
        let raw: Config<'_> = read_object(node, problems)?;
        let version = raw.version.optional(node, problems);
        let profile = raw.profile.optional(node, problems);
        let route_header = raw.route_header.optional(node, problems);
        let color_header = raw.color_header.optional(node, problems);
        let rollouts = raw.rollouts.required(node, problems);
        let feedback = raw.feedback.optional(node, problems);
        let fleet = raw.fleet.optional(node, problems);
        let mut secret_headers = Vec::new();
        if let Some(rollouts) = &rollouts {
            secret_headers.clone_from(&rollouts.secret_headers);
        }
        let secret = feedback.as_ref().and_then(|it| it.require.secret_header());
        if let Some(header) = secret
            && !secret_headers.contains(header)
        {
            secret_headers.push(header.clone());
        }
        let route_header = match raw.route_header.node(node) {
            Some(_) => route_header,
            None => Some(HeaderName::default_route_header()),
        };
        if color_header.is_some() && color_header == route_header {
            let message = "the same as route_header, must be another header";
            problems.push(&node.path().field("color_header"), message);
        }
        for (field, header) in [
            ("route_header", &route_header),
            ("color_header", &color_header),
        ] {
            if header
                .as_ref()
                .is_some_and(|it| secret_headers.contains(it))
            {
                let message = "also the header of a token, must be another header";
                problems.push(&node.path().field(field), message);
            }
        }
        let rollouts = rollouts?;
        if raw.color_header.node(node).is_none() {
            let all = node.path().field("rollouts");
            for index in rollouts.without_clusters {
                let message = "clusters is missing, must be given where there is no color_header";
                problems.push(&all.item(index), message);
            }
        }
        Some(Policy {
            version,
            profile: profile.unwrap_or_default(),
            route_header: route_header?,
            color_header,
            matcher: matcher(&rollouts.valid)?,
            rollouts: rollouts.valid,
            names: rollouts.names,
            secret_headers: by_length(secret_headers),
            feedback,
            fleet,
            fingerprint: 0,
        })
    }
}

/// None where two rollouts have the same match, which is among the problems already.
fn matcher(rollouts: &[Rollout]) -> Option<Matcher> {
    let rules = rollouts.iter().enumerate().flat_map(|(rollout, it)| {
        it.matches.hosts.iter().map(move |host| MatchRule {
            host,
            path_prefix: &it.matches.path_prefix,
            rollout,
        })
    });
    Matcher::new(rules).ok()
}

/// As [`Policy::secrets_in`] looks for them.
fn by_length(headers: Vec<HeaderName>) -> Vec<HeaderName> {
    sorted(headers, |one, other| {
        one.by_length().cmp(&other.by_length())
    })
}
