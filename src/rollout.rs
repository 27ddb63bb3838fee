//! One rollout: two clusters that share some traffic, and how.

use crate::bucket::Salt;
use crate::color::{Color, PerColor};
use crate::error::Problem;
use crate::guard::{Cause, Guard};
use crate::key::KeySource;
use crate::matcher::HostPattern;
use crate::new_cookie::NewCookie;
use crate::overrides::Override;
use crate::percent::{Percent, Weights};
use crate::quality::Quality;
use crate::ramp::{Hold, Ramp};
use std::hash::{Hash, Hasher};
use xxhash_rust::xxh64::Xxh64;

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
    /// How testers see a colour before anyone else.
    pub overrides: Option<Override>,
    /// How the weight goes up by itself.
    pub ramp: Option<Ramp>,
    /// When the traffic goes back to the stable colour by itself.
    pub guard: Option<Guard>,
    /// What each colour's cluster runs at present.
    pub releases: PerColor<Option<ReleaseLabel>>,
    /// How good the predictions must be.
    pub quality: Option<Quality>,
}

/// What has become of a rollout since its configuration came into force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Why it was rolled back, if it was.
    pub tripped: Option<Cause>,
    /// When its ramp was let on by the quality gate, in milliseconds since 1970.
    pub let_on_ms: Option<u64>,
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

/// 1 to 128 characters without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReleaseLabel(String);

// === impl Rollout ===

impl Rollout {
    /// The weights in force at a time in milliseconds since 1970.
    pub fn weights_at(&self, now_ms: u64, standing: Standing) -> Weights {
        if standing.tripped.is_some() {
            return Weights::giving(self.stable, Percent::HUNDRED);
        }
        let ramped = self
            .ramp
            .as_ref()
            .and_then(|ramp| match self.hold(ramp, standing) {
                Some(hold) => ramp.held_weight_at(now_ms, hold),
                None => ramp.weight_at(now_ms),
            });
        ramped.map_or(self.weights, |weight| {
            Weights::giving(self.stable.other(), weight)
        })
    }

    fn hold(&self, ramp: &Ramp, standing: Standing) -> Option<Hold> {
        let quality = self.quality.as_ref()?;
        Some(Hold {
            at: quality.hold_at.unwrap_or(ramp.first_weight()),
            let_on_ms: standing.let_on_ms,
        })
    }

    /// Beyond which time to a response a request is slow, where there is a guard that asks for it.
    pub fn slow_after_ms(&self) -> Option<u64> {
        self.guard.as_ref()?.slow_after_ms
    }

    /// Whether a decision has to know the time.
    pub fn goes_by_the_clock(&self) -> bool {
        self.ramp.is_some() || self.slow_after_ms().is_some()
    }

    /// Differs where any field differs: a rollback lasts as long as it stays the same.
    pub fn digest(&self) -> u64 {
        digest(self)
    }

    /// Differs where the quality gate has to be passed anew: for another release of the colour that is
    /// watched too, but not for one of the stable colour, which would send the traffic to it.
    pub fn gate_digest(&self) -> u64 {
        let watched = self.releases.of(self.stable.other());
        digest(&(&self.ramp, &self.quality, watched, self.stable))
    }
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = Xxh64::new(0);
    value.hash(&mut hasher);
    hasher.finish()
}

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

// === impl ReleaseLabel ===

impl ReleaseLabel {
    /// # Errors
    /// Where it could not stand in a log line.
    pub fn parse(label: &str) -> Result<Self, Problem> {
        let fits = (1..=128).contains(&label.chars().count());
        if fits && !label.contains(char::is_control) {
            Ok(Self(label.to_owned()))
        } else {
            Err(Problem::Release(label.to_owned()))
        }
    }

    /// The label.
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
