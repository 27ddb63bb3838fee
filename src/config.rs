//! From the configuration that an operator writes to a [`Policy`].

use crate::bucket::Salt;
use crate::color::{Color, PerColor};
use crate::cookie::{self, CookieAttributes, NewCookie, SameSite};
use crate::error::{ConfigError, Problem};
use crate::headers::HeaderName;
use crate::key::{KeySource, MetadataPath};
use crate::matcher::{Claim, HostPattern, Matcher};
use crate::node::Node;
use crate::percent::{Percent, Weights};
use crate::policy::Policy;
use crate::rollout::{ClusterName, Match, Rollout, RolloutName};
use std::collections::HashMap;
use std::time::Duration;
use xxhash_rust::xxh64::xxh64;

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
        let root = Node::root(json)?;
        let fields = root.object(&["version", "route_header", "color_header", "rollouts"])?;
        let version = fields.optional("version");
        let route_header = fields.optional("route_header");
        let color_header = fields.optional("color_header");
        let route_header = route_header.map_or_else(
            || Ok(HeaderName::default_route_header()),
            |node| node.parse(HeaderName::parse_writable),
        )?;
        let rollouts = rollouts(&fields.required("rollouts")?)?;
        Ok(Self {
            version: version.map(|node| node.parse(parse_version)).transpose()?,
            color_header: color_header
                .map(|node| parse_color_header(&node, &route_header))
                .transpose()?,
            route_header,
            matcher: matcher(&rollouts)?,
            rollouts,
            fingerprint: lower_half(xxh64(json, 0)),
        })
    }
}

fn lower_half(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn parse_version(text: &str) -> Result<String, Problem> {
    if (1..=MAX_VERSION_CHARS).contains(&text.chars().count()) {
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

fn rollouts(node: &Node<'_>) -> Result<Vec<Rollout>, ConfigError> {
    let nodes = node.array()?;
    if !(1..=MAX_ROLLOUTS).contains(&nodes.len()) {
        return Err(node.error(Problem::RolloutCount(nodes.len())));
    }
    let mut names = HashMap::new();
    let mut rollouts = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        let rollout = rollout(node)?;
        if let Some(other) = names.insert(rollout.name.clone(), index) {
            return Err(node.error(Problem::RolloutNameTaken(rollout.name, other)));
        }
        rollouts.push(rollout);
    }
    Ok(rollouts)
}

fn rollout(node: &Node<'_>) -> Result<Rollout, ConfigError> {
    let fields = node.object(&[
        "name", "match", "clusters", "weights", "stable", "salt", "sticky",
    ])?;
    let name = fields.required("name")?.parse(RolloutName::parse)?;
    let clusters = per_color(&fields.required("clusters")?, |node| {
        node.parse(ClusterName::parse)
    })?;
    let stable = fields
        .optional("stable")
        .map(|node| node.parse(parse_color));
    let salt = fields.optional("salt").map(|node| node.parse(parse_salt));
    let sticky = fields.optional("sticky").map(|node| sticky(&node));
    let (sticky, new_cookie) = sticky.transpose()?.unwrap_or_default();
    Ok(Rollout {
        matches: fields
            .optional("match")
            .map_or_else(|| Ok(Match::default()), |node| matches(&node))?,
        clusters,
        weights: weights(&fields.required("weights")?)?,
        stable: stable.transpose()?.unwrap_or(Color::Blue),
        salt: salt
            .transpose()?
            .unwrap_or_else(|| Salt::new(name.as_str())),
        name,
        sticky,
        new_cookie,
    })
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
    Percent::parse(node.text()).map_err(|problem| node.error(problem))
}

fn parse_color(text: &str) -> Result<Color, Problem> {
    Color::from_bytes(text.as_bytes()).ok_or_else(|| Problem::Color(text.to_owned()))
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
    let hosts = fields.optional("hosts").map(|node| hosts(&node));
    let path_prefix = fields.optional("path_prefix");
    let path_prefix = path_prefix.map(|node| node.parse(parse_path_prefix));
    Ok(Match {
        hosts: hosts.transpose()?.unwrap_or_else(|| vec![HostPattern::Any]),
        path_prefix: path_prefix.transpose()?.unwrap_or_default(),
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
        it.matches.hosts.iter().map(move |host| Claim {
            host,
            path_prefix: &it.matches.path_prefix,
            rollout,
        })
    });
    Matcher::new(claims).map_err(|(claim, other)| {
        let match_taken = Problem::MatchTaken {
            host: claim.host.clone(),
            path_prefix: claim.path_prefix.to_owned(),
            other,
        };
        match_taken.at(format!("rollouts[{}].match", claim.rollout))
    })
}

// === impl KeySource ===

const STICKY: &[&str] = &[
    "header",
    "cookie",
    "query",
    "metadata",
    "source_ip",
    "new_cookie",
];

fn sticky(node: &Node<'_>) -> Result<(Vec<KeySource>, Option<NewCookie>), ConfigError> {
    let nodes = node.array()?;
    let mut sources = Vec::with_capacity(nodes.len());
    let mut new_cookie = None;
    for node in &nodes {
        if new_cookie.is_some() {
            return Err(node.error(Problem::SourceAfterNewCookie));
        }
        let (kind, value) = node.choice(STICKY)?;
        let source = match (kind.as_str(), value) {
            ("header", Some(node)) => KeySource::Header(node.parse(HeaderName::parse)?),
            ("cookie", Some(node)) => KeySource::Cookie(node.parse(cookie::parse_name)?),
            ("query", Some(node)) => KeySource::Query(node.parse(KeySource::parse_query)?),
            ("metadata", Some(node)) => KeySource::Metadata(metadata(&node)?),
            ("source_ip", None) => KeySource::SourceIp,
            ("new_cookie", Some(node)) => {
                let cookie = new_cookie.insert(read_new_cookie(&node)?);
                KeySource::Cookie(cookie.name().to_owned())
            }
            _ => return Err(node.error(Problem::NoChoice(node.text().to_owned(), STICKY))),
        };
        sources.push(source);
    }
    Ok((sources, new_cookie))
}

fn metadata(node: &Node<'_>) -> Result<MetadataPath, ConfigError> {
    let segments = node.array()?;
    let segments: Vec<String> = segments
        .iter()
        .map(Node::string)
        .collect::<Result<_, _>>()?;
    MetadataPath::new(&segments).map_err(|problem| node.error(problem))
}

fn read_new_cookie(node: &Node<'_>) -> Result<NewCookie, ConfigError> {
    let fields = node.object(&["name", "max_age", "path", "domain", "same_site", "secure"])?;
    let name = fields.required("name")?.parse(cookie::parse_name)?;
    let max_age = fields.optional("max_age");
    let max_age = max_age.map(|node| node.parse(parse_duration)).transpose()?;
    let path = fields.optional("path").map(|node| node.string());
    let domain = fields.optional("domain").map(|node| node.string());
    let same_site = fields.optional("same_site");
    let same_site = same_site.map(|node| node.parse(SameSite::parse));
    let secure = fields.optional("secure").map(|node| node.boolean());
    let attributes = CookieAttributes {
        max_age,
        path: path.transpose()?.unwrap_or_else(|| "/".to_owned()),
        domain: domain.transpose()?,
        same_site: same_site.transpose()?.unwrap_or_default(),
        secure: secure.transpose()?.unwrap_or(false),
    };
    NewCookie::new(name, &attributes).map_err(|problem| node.error(problem))
}

fn parse_duration(text: &str) -> Result<Duration, Problem> {
    humantime::parse_duration(text).map_err(|_| Problem::Duration(text.to_owned()))
}
