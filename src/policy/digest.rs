//! Digests of a rollout, by which workers and configurations know whether it is still the same.

use crate::policy::canonical::{
    CanonicalCookie, CanonicalGuard, CanonicalOverride, CanonicalRamp, CanonicalReleases,
    CanonicalShadow, CanonicalSource,
};
use crate::policy::canonical_quality::CanonicalQuality;
use crate::policy::canonical_stream::CanonicalStream;
use crate::policy::rollout::{Match, Rollout};
use crate::request::host_pattern::HostPattern;
use crate::value::color::{Color, PerColor};
use crate::value::name::ClusterName;
use serde::Serialize;
use std::borrow::Cow;
use xxhash_rust::xxh64::xxh64;

/// The canonical form of a rollout, or of some of its fields.
#[derive(Default, Serialize)]
struct CanonicalRollout<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hosts: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    path_prefix: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    clusters: Option<[&'a str; 2]>,
    /// Of blue and green, in thousandths of a percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<[u32; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stable: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sticky: Vec<CanonicalSource<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_cookie: Option<CanonicalCookie<'a>>,
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    overrides: Option<CanonicalOverride<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ramp: Option<CanonicalRamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guard: Option<CanonicalGuard>,
    #[serde(skip_serializing_if = "CanonicalReleases::is_empty")]
    releases: CanonicalReleases<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<CanonicalQuality<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<CanonicalStream>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<CanonicalShadow<'a>>,
}

// === impl Rollout ===

impl Rollout {
    /// Differs where any field differs: a rollback lasts as long as it stays the same.
    pub fn digest(&self) -> u64 {
        digest(&CanonicalRollout::new(self))
    }

    /// Differs where the quality gate has to be passed again: for another release of the canary too,
    /// but not for one of the stable color, which would send the traffic to it.
    pub fn gate_digest(&self) -> u64 {
        digest(&CanonicalRollout {
            stable: unless_blue(self.stable),
            ramp: self.ramp.as_ref().map(|it| CanonicalRamp::new(it, None)),
            quality: self.quality.as_ref().map(CanonicalQuality::new),
            releases: CanonicalReleases::new(&self.releases).only(self.stable.other()),
            ..CanonicalRollout::default()
        })
    }

    /// Differs where a ramp begins anew: for other clusters, releases or users, or another canary. The guard is no
    /// part of it, so `min_requests` counts as it is written.
    pub fn ramp_digest(&self) -> u64 {
        digest(&CanonicalRollout {
            clusters: self.clusters.as_ref().map(names),
            stable: unless_blue(self.stable),
            salt: Some(self.salt.as_str()),
            ramp: self.ramp.as_ref().map(|it| CanonicalRamp::new(it, None)),
            releases: CanonicalReleases::new(&self.releases),
            ..CanonicalRollout::default()
        })
    }

    /// Differs where requests are decided for other clusters, releases or users than before.
    pub fn generation_digest(&self) -> u64 {
        digest(&CanonicalRollout {
            clusters: self.clusters.as_ref().map(names),
            releases: CanonicalReleases::new(&self.releases),
            // The name stands for an absent salt, whichever of the two is given.
            salt: Some(self.salt.as_str()),
            ..CanonicalRollout::default()
        })
    }
}

fn digest(form: &CanonicalRollout<'_>) -> u64 {
    // Writing text and numbers to memory does not fail.
    let json = serde_json::to_vec(form).unwrap_or_default();
    xxh64(&json, 0)
}

// === impl CanonicalRollout ===

impl<'a> CanonicalRollout<'a> {
    fn new(rollout: &'a Rollout) -> Self {
        let is_default = rollout.matches.hosts == Match::default().hosts;
        let hosts = if is_default {
            &[]
        } else {
            &*rollout.matches.hosts
        };
        let (name, salt) = (rollout.name.as_str(), rollout.salt.as_str());
        let implied = rollout.implied_min_requests();
        let ramp = |ramp| CanonicalRamp::new(ramp, Some(implied));
        Self {
            name: Some(name),
            hosts: hosts.iter().map(host).collect(),
            path_prefix: &rollout.matches.path_prefix,
            clusters: rollout.clusters.as_ref().map(names),
            weights: Some(Color::ALL.map(|color| rollout.weights.of(color).millipercent())),
            stable: unless_blue(rollout.stable),
            salt: (salt != name).then_some(salt),
            sticky: rollout.sticky.iter().map(CanonicalSource::new).collect(),
            new_cookie: rollout.new_cookie.as_ref().map(CanonicalCookie::new),
            overrides: rollout.overrides.as_ref().map(CanonicalOverride::new),
            ramp: rollout.ramp.as_ref().map(ramp),
            guard: rollout.guard.as_ref().map(CanonicalGuard::new),
            releases: CanonicalReleases::new(&rollout.releases),
            quality: rollout.quality.as_ref().map(CanonicalQuality::new),
            stream: rollout.stream.map(CanonicalStream::new),
            shadow: rollout.shadow.as_ref().map(CanonicalShadow::new),
        }
    }
}

fn names(clusters: &PerColor<ClusterName>) -> [&str; 2] {
    [clusters.blue.as_str(), clusters.green.as_str()]
}

fn unless_blue(stable: Color) -> Option<&'static str> {
    (stable != Color::Blue).then_some(stable.as_str())
}

/// A host as an operator writes it.
fn host(pattern: &HostPattern) -> Cow<'_, str> {
    match pattern {
        HostPattern::Exact(host) => Cow::Borrowed(host),
        HostPattern::Suffix(suffix) => Cow::Owned(format!("*{suffix}")),
        HostPattern::Any => Cow::Borrowed("*"),
    }
}
