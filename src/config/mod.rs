//! From the configuration that an operator writes to a [`Policy`].

mod progress;
mod quality;
mod sticky;
mod time;

use crate::assign::permission::Permission;
use crate::error::{ConfigError, Problem};
use crate::node::{Document, Node, Object};
use crate::policy::feedback::Feedback;
use crate::policy::policy::Policy;
use crate::policy::rollout::{Match, Rollout};
use crate::request::host_pattern::HostPattern;
use crate::request::matcher::{MatchRule, Matcher};
use crate::value::bucket::Salt;
use crate::value::color::{Color, PerColor};
use crate::value::header_name::HeaderName;
use crate::value::name::{ClusterName, RolloutName};
use crate::value::percent::{Percent, Weights};
use crate::value::profile::Profile;
use std::collections::HashMap;
use xxhash_rust::xxh64::{Xxh64Builder, xxh64};

const MAX_ROLLOUTS: usize = 1_000;
const MAX_VERSION_CHARS: usize = 128;
const MAX_SALT_BYTES: usize = 255;

// === impl Policy ===

impl Policy {
    /// Reads a configuration.
    ///
    /// # Errors
    /// The first thing that is wrong with it: where, what stands there, and what is allowed.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let document = Document::parse(json)?;
        let fields = document.root().object(&[
            "version",
            "profile",
            "route_header",
            "color_header",
            "rollouts",
            "feedback",
        ])?;
        let route_header = read(&fields, "route_header", |node| {
            node.parse(HeaderName::parse_writable)
        })?;
        let route_header = route_header.unwrap_or_else(HeaderName::default_route_header);
        let (rollouts, names) = rollouts(&fields.required("rollouts")?)?;
        let feedback = read(&fields, "feedback", quality::feedback)?;
        let color_header = read(&fields, "color_header", |node| {
            parse_color_header(node, &route_header)
        })?;
        let secret_headers = secret_headers(&rollouts, feedback.as_ref());
        for (name, header) in [
            ("route_header", Some(&route_header)),
            ("color_header", color_header.as_ref()),
        ] {
            if header.is_some_and(|header| secret_headers.contains(header)) {
                return Err(Problem::HeaderIsSecret.at(name));
            }
        }
        Ok(Self {
            version: read(&fields, "version", |node| node.parse(parse_version))?,
            profile: read(&fields, "profile", |node| node.parse(Profile::parse))?
                .unwrap_or_default(),
            color_header,
            route_header,
            matcher: matcher(&rollouts)?,
            secret_headers,
            rollouts,
            names,
            feedback,
            fingerprint: lower_half(xxh64(json, 0)),
        })
    }
}

/// Headers that hold secrets, each once, as [`Policy::secrets_in`] looks for them.
fn secret_headers(rollouts: &[Rollout], feedback: Option<&Feedback>) -> Vec<HeaderName> {
    let overrides = rollouts.iter().filter_map(|it| it.overrides.as_ref());
    let permissions = overrides
        .map(|it| &it.require)
        .chain(feedback.map(|it| &it.require));
    let mut headers = Vec::new();
    for header in permissions.filter_map(Permission::secret_header) {
        if !headers.contains(header) {
            headers.push(header.clone());
        }
    }
    headers.sort_unstable_by(|one, other| one.by_length().cmp(&other.by_length()));
    headers
}

fn lower_half(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn parse_version(text: &str) -> Result<String, Problem> {
    let fits = (1..=MAX_VERSION_CHARS).contains(&text.chars().count());
    if fits && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(Problem::Version(text.to_owned()))
    }
}

fn parse_color_header(
    node: &Node<'_>,
    route_header: &HeaderName,
) -> Result<HeaderName, ConfigError> {
    let name = node.parse(HeaderName::parse_writable)?;
    if name == *route_header {
        return Err(node.error(Problem::ColorHeaderIsRouteHeader));
    }
    Ok(name)
}

// === impl Rollout ===

type Named = (Vec<Rollout>, HashMap<RolloutName, usize, Xxh64Builder>);

fn rollouts(node: &Node<'_>) -> Result<Named, ConfigError> {
    let nodes = node.array()?;
    if !(1..=MAX_ROLLOUTS).contains(&nodes.len()) {
        return Err(node.error(Problem::RolloutCount(nodes.len())));
    }
    let mut names = HashMap::default();
    let mut rollouts = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        let rollout = rollout(node)?;
        if let Some(other) = names.insert(rollout.name.clone(), index) {
            return Err(node.error(Problem::RolloutNameTaken(rollout.name, other)));
        }
        rollouts.push(rollout);
    }
    Ok((rollouts, names))
}

fn rollout(node: &Node<'_>) -> Result<Rollout, ConfigError> {
    let fields = node.object(&[
        "name", "match", "clusters", "weights", "stable", "salt", "sticky", "override", "ramp",
        "guard", "releases", "quality",
    ])?;
    let name = fields.required("name")?.parse(RolloutName::parse)?;
    let salt = read(&fields, "salt", |node| node.parse(parse_salt))?;
    let (sticky, new_cookie) = read(&fields, "sticky", sticky::sticky)?.unwrap_or_default();
    Ok(Rollout {
        matches: read(&fields, "match", matches)?.unwrap_or_default(),
        clusters: per_color(&fields.required("clusters")?, |node| {
            node.parse(ClusterName::parse)
        })?,
        weights: weights(&fields.required("weights")?)?,
        stable: read(&fields, "stable", |node| node.parse(Color::parse))?.unwrap_or(Color::Blue),
        salt: salt.unwrap_or_else(|| Salt::new(name.as_str())),
        name,
        sticky,
        new_cookie,
        overrides: read(&fields, "override", progress::overrides)?,
        ramp: read(&fields, "ramp", progress::ramp)?,
        guard: read(&fields, "guard", progress::guard)?,
        releases: read(&fields, "releases", quality::releases)?.unwrap_or_default(),
        quality: read(&fields, "quality", quality::quality)?,
    })
}

/// Reads a field that may be left out.
fn read<'a, T>(
    fields: &Object<'a>,
    name: &str,
    read: impl FnOnce(&Node<'a>) -> Result<T, ConfigError>,
) -> Result<Option<T>, ConfigError> {
    fields.optional(name).map(|node| read(&node)).transpose()
}

fn per_color<T>(
    node: &Node<'_>,
    mut read: impl FnMut(&Node<'_>) -> Result<T, ConfigError>,
) -> Result<PerColor<T>, ConfigError> {
    let fields = node.object(&["blue", "green"])?;
    PerColor::try_from_fn(|color| read(&fields.required(color.as_str())?))
}

fn weights(node: &Node<'_>) -> Result<Weights, ConfigError> {
    let percent = per_color(node, percent)?;
    Weights::new(percent).map_err(|problem| node.error(problem))
}

fn percent(node: &Node<'_>) -> Result<Percent, ConfigError> {
    Percent::parse(&node.text()).map_err(|problem| node.error(problem))
}

fn parse_salt(text: &str) -> Result<Salt, Problem> {
    if text.len() <= MAX_SALT_BYTES && !text.contains('\0') {
        Ok(Salt::new(text))
    } else {
        Err(Problem::Salt(text.to_owned()))
    }
}

// === impl Match ===

fn matches(node: &Node<'_>) -> Result<Match, ConfigError> {
    let fields = node.object(&["hosts", "path_prefix"])?;
    let path_prefix = read(&fields, "path_prefix", |node| node.parse(parse_path_prefix))?;
    Ok(Match {
        hosts: read(&fields, "hosts", hosts)?.unwrap_or_else(|| vec![HostPattern::Any]),
        path_prefix: path_prefix.unwrap_or_default(),
    })
}

fn hosts(node: &Node<'_>) -> Result<Vec<HostPattern>, ConfigError> {
    let names = node.array()?;
    if names.is_empty() {
        return Err(node.error(Problem::NoHosts));
    }
    names
        .iter()
        .map(|node| node.parse(HostPattern::parse))
        .collect()
}

fn parse_path_prefix(text: &str) -> Result<String, Problem> {
    let good = |byte: u8| byte.is_ascii_graphic() && !b"?#".contains(&byte);
    if text.starts_with('/') && text.bytes().all(good) {
        Ok(text.to_owned())
    } else {
        Err(Problem::PathPrefix(text.to_owned()))
    }
}

fn matcher(rollouts: &[Rollout]) -> Result<Matcher, ConfigError> {
    let claims = rollouts.iter().enumerate().flat_map(|(rollout, it)| {
        it.matches.hosts.iter().map(move |host| MatchRule {
            host,
            path_prefix: &it.matches.path_prefix,
            rollout,
        })
    });
    Matcher::new(claims).map_err(|(claim, other)| {
        let host = claim.host.clone();
        let path_prefix = claim.path_prefix.to_owned();
        let problem = if other == claim.rollout {
            Problem::HostTwice(host)
        } else {
            Problem::MatchTaken {
                host,
                path_prefix,
                other,
            }
        };
        problem.at(&format!("rollouts[{}].match", claim.rollout))
    })
}
