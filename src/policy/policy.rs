//! A whole configuration that is known to be valid.

use crate::policy::feedback_endpoint::FeedbackEndpoint;
use crate::policy::fleet_settings::FleetSettings;
use crate::policy::rollout::Rollout;
use crate::request::headers::Headers;
use crate::request::matcher::Matcher;
use crate::value::header_name::HeaderName;
use crate::value::name::RolloutName;
use crate::value::profile::Profile;
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// All that one configuration says. One that exists is valid; see [`Policy::parse`] for how to get one.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The operator's name for it.
    pub version: Option<String>,
    /// How the filter learns how streams end, and how much of it the stats show.
    pub profile: Profile,
    /// The request header that gets the cluster's name.
    pub route_header: HeaderName,
    /// The request and response header that gets the color's name.
    pub color_header: Option<HeaderName>,
    /// All rollouts, in the order of the configuration.
    pub rollouts: Vec<Rollout>,
    /// Lower 32 bits of XXH64 (seed 0) of the configuration's bytes.
    pub fingerprint: u32,
    /// Where feedback is taken.
    pub feedback: Option<FeedbackEndpoint>,
    /// How this proxy exchanges with others.
    pub fleet: Option<FleetSettings>,
    /// Headers that hold secrets and never reach an upstream, in the order of [`HeaderName::by_length`].
    pub secret_headers: Vec<HeaderName>,
    pub(crate) matcher: Matcher,
    pub(crate) names: HashMap<RolloutName, usize, Xxh64Builder>,
}

// === impl Policy ===

impl Policy {
    /// The index of the rollout of this name.
    pub fn named(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// Whether there are routes that go by the color header.
    pub fn has_rollout_without_clusters(&self) -> bool {
        let mut rollouts = self.rollouts.iter();
        rollouts.any(|rollout| rollout.clusters.is_none())
    }

    /// Those of the headers that hold secrets. Few are looked up each, for many all that came are gone through once.
    pub fn secrets_in(&self, headers: &Headers<'_>) -> Vec<&HeaderName> {
        const FEW: usize = 4;
        if self.secret_headers.len() <= FEW {
            let secrets = self.secret_headers.iter();
            let came = |secret: &&HeaderName| headers.first(secret.as_str()).is_some();
            return secrets.filter(came).collect();
        }
        let mut found = Vec::new();
        for (name, _) in headers.iter() {
            let order = |secret: &HeaderName| secret.by_length().cmp(&(name.len(), name));
            let place = self.secret_headers.binary_search_by(order);
            let secret = place.ok().and_then(|place| self.secret_headers.get(place));
            found.extend(secret.filter(|secret| !found.contains(secret)));
        }
        found
    }

    /// Whether something has to be done when a response begins.
    pub fn needs_responses(&self, rollout: &Rollout) -> bool {
        self.profile.shows_streams()
            || self.color_header.is_some()
            || rollout.new_cookie.is_some()
            || rollout.slow_after().is_some()
            || rollout.stream.is_some()
            || rollout.compares()
            || rollout.measures()
    }

    /// The index of the rollout that a request belongs to, if there is one.
    pub fn find(&self, headers: &Headers<'_>) -> Option<usize> {
        self.matcher.find(headers.authority(), headers.path())
    }
}
