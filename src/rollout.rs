//! One rollout: two clusters that share some traffic, and how.

use crate::bucket::Salt;
use crate::color::{Color, PerColor};
use crate::cookie::NewCookie;
use crate::error::Problem;
use crate::key::KeySource;
use crate::matcher::HostPattern;
use crate::percent::Weights;

/// Two clusters that share the traffic of one match.
#[derive(Clone, Debug, Hash)]
pub struct Rollout {
    /// Its name in stats.
    pub name: RolloutName,
    /// The requests that belong to it.
    pub matches: Match,
    /// The Envoy cluster of each colour.
    pub clusters: PerColor<ClusterName>,
    /// How the traffic is split.
    pub weights: Weights,
    /// The colour that takes over when the other fails.
    pub stable: Color,
    /// What is hashed before the key.
    pub salt: Salt,
    /// Where the key may stand, in the order in which to look.
    pub sticky: Vec<KeySource>,
    /// The cookie for those who have no key yet.
    pub new_cookie: Option<NewCookie>,
}

/// The requests that belong to a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Match {
    /// One of these hosts.
    pub hosts: Vec<HostPattern>,
    /// A path that begins so; empty for any.
    pub path_prefix: String,
}

/// 1 to 64 of `a-z`, `0-9`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RolloutName(String);

/// 1 to 255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClusterName(String);

// === impl Match ===

impl Default for Match {
    /// Every request.
    fn default() -> Self {
        Self {
            hosts: vec![HostPattern::Any],
            path_prefix: String::new(),
        }
    }
}

// === impl RolloutName ===

impl RolloutName {
    /// # Errors
    /// Where it could not stand in the name of a stat.
    pub fn parse(name: &str) -> Result<Self, Problem> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
            Ok(Self(name.to_owned()))
        } else {
            Err(Problem::RolloutName(name.to_owned()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// === impl ClusterName ===

impl ClusterName {
    /// # Errors
    /// Where it could not stand in a header.
    pub fn parse(name: &str) -> Result<Self, Problem> {
        if (1..=255).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(name.to_owned()))
        } else {
            Err(Problem::ClusterName(name.to_owned()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
