//! One rollout.

use crate::analysis::quality::Quality;
use crate::analysis::ramp::Ramp;
use crate::config::guard::GuardConfig;
use crate::config::kind::{Cluster, ColorName, HashSalt, Name, Percentage};
use crate::config::matches::MatchConfig;
use crate::config::overrides::OverrideConfig;
use crate::config::quality::{QualityConfig, ReleasesConfig};
use crate::config::ramp::RampConfig;
use crate::config::shadow::ShadowConfig;
use crate::config::sticky::SourceConfig;
use crate::config::stream::StreamConfig;
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use crate::policy::rollout::{Match, Rollout};
use crate::value::bucket::Salt;
use crate::value::color::{Color, PerColor};
use crate::value::header_name::HeaderName;
use crate::value::name::{ClusterName, RolloutName};
use crate::value::percent::{Percent, Weights};
use serde::Deserialize;

/// Two versions that share the traffic of one match.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct RolloutConfig<'d> {
    /// Its name in stats. No two rollouts have the same.
    name: Field<'d, Name>,
    /// Which requests belong to it; all where absent. No two rollouts have the same.
    #[serde(default, rename = "match")]
    matches: Field<'d, MatchConfig<'d>>,
    /// The cluster of each color. Without it routes that match on `color_header` choose the cluster.
    #[serde(default)]
    clusters: Field<'d, ClustersConfig<'d>>,
    /// Percent of the traffic of each color, together 100.
    weights: Field<'d, WeightsConfig<'d>>,
    /// The color that takes over when the other fails; `blue` where absent.
    #[serde(default)]
    stable: Field<'d, ColorName>,
    /// What is hashed before the key: a new salt draws new users; the rollout's name where absent.
    #[serde(default)]
    salt: Field<'d, HashSalt>,
    /// Where the key of a user is, tried in this order; without it each request is split at random.
    #[serde(default)]
    sticky: Field<'d, Vec<SourceConfig<'d>>>,
    /// How testers see a color before anyone else.
    #[serde(default, rename = "override")]
    overrides: Field<'d, OverrideConfig<'d>>,
    /// A schedule of weights.
    #[serde(default)]
    ramp: Field<'d, RampConfig<'d>>,
    /// When all traffic goes back to the stable color by itself.
    #[serde(default)]
    guard: Field<'d, GuardConfig<'d>>,
    /// What each color's cluster runs at present.
    #[serde(default)]
    releases: Field<'d, ReleasesConfig<'d>>,
    /// How good the canary's predictions must be.
    #[serde(default)]
    quality: Field<'d, QualityConfig<'d>>,
    /// What is watched of responses that come piece by piece.
    #[serde(default)]
    stream: Field<'d, StreamConfig<'d>>,
    /// Which requests the canary gets a copy of.
    #[serde(default)]
    shadow: Field<'d, ShadowConfig<'d>>,
}

/// The cluster of each color.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ClustersConfig<'d> {
    /// The cluster of blue.
    blue: Field<'d, Cluster>,
    /// The cluster of green.
    green: Field<'d, Cluster>,
}

/// Percent of the traffic of each color, together 100.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct WeightsConfig<'d> {
    /// The weight of blue.
    blue: Field<'d, Percentage>,
    /// The weight of green.
    green: Field<'d, Percentage>,
}

/// What could be read of a rollout.
#[allow(clippy::large_enum_variant, reason = "nearly all are whole")]
pub enum ReadRollout {
    /// All.
    Whole(Rollout),
    /// What other rollouts are compared with.
    Partial {
        /// Its name.
        name: Option<RolloutName>,
        /// The requests that belong to it.
        matches: Option<Match>,
        /// The header that holds the secret of its testers.
        secret_header: Option<HeaderName>,
    },
}

// === impl RolloutConfig ===

impl Read for RolloutConfig<'_> {
    type Valid = ReadRollout;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<ReadRollout> {
        let before = problems.count();
        let raw: RolloutConfig<'_> = read_object(node, problems)?;
        let name = raw.name.required(node, problems);
        let matches = match raw.matches.node(node) {
            Some(node) => MatchConfig::read(&node, problems),
            None => Some(Match::default()),
        };
        let clusters = raw.clusters.optional(node, problems);
        let weights = raw.weights.required(node, problems);
        let stable = raw.stable.optional(node, problems);
        let salt = raw.salt.optional(node, problems);
        let sticky = raw.sticky.optional(node, problems);
        let (sticky, new_cookie) = sticky.unwrap_or_default();
        let overrides = raw.overrides.optional(node, problems);
        let ramp = raw.ramp.optional(node, problems);
        let guard = raw.guard.optional(node, problems);
        let releases = raw.releases.optional(node, problems);
        let quality = raw.quality.optional(node, problems);
        let stream = raw.stream.optional(node, problems);
        let shadow = raw.shadow.optional(node, problems);
        if let (Some(_), Some(ramp), Some(quality)) = (&shadow, &ramp, &quality) {
            check_hold(ramp, quality, node, problems);
        }
        let is_whole = problems.count() == before;
        let (Some(name), Some(matches), Some(weights), true) = (&name, &matches, weights, is_whole)
        else {
            let secret_header = overrides.and_then(|it| it.require.secret_header().cloned());
            return Some(ReadRollout::Partial {
                name,
                matches,
                secret_header,
            });
        };
        Some(ReadRollout::Whole(Rollout {
            salt: salt.unwrap_or_else(|| Salt::new(name.as_str())),
            name: name.clone(),
            matches: matches.clone(),
            clusters,
            weights,
            stable: stable.unwrap_or(Color::Blue),
            sticky,
            new_cookie,
            overrides,
            ramp,
            shadow: shadow.map(|it| it.with_guard(guard.as_ref())),
            guard,
            releases: releases.unwrap_or_default(),
            quality,
            stream,
        }))
    }
}

/// Copies and the gate hold a ramp in turn. With copies there is nothing between none and its first step.
fn check_hold(ramp: &Ramp, quality: &Quality, node: &Node<'_>, problems: &mut Problems) {
    let first = ramp.first_weight();
    let is_between = |at: Percent| at > Percent::ZERO && at < first;
    if let Some(at) = quality.hold_at.filter(|&at| is_between(at)) {
        problems.push(
            &node.path().field("quality").field("hold_at"),
            format_args!("{at}, must be 0, or {first} or more, where there is shadow"),
        );
    }
}

// === impl ClustersConfig ===

impl Read for ClustersConfig<'_> {
    type Valid = PerColor<ClusterName>;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self::Valid> {
        let raw: ClustersConfig<'_> = read_object(node, problems)?;
        let blue = raw.blue.required(node, problems);
        let green = raw.green.required(node, problems);
        Some(PerColor {
            blue: blue?,
            green: green?,
        })
    }
}

// === impl WeightsConfig ===

impl Read for WeightsConfig<'_> {
    type Valid = Weights;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Weights> {
        let raw: WeightsConfig<'_> = read_object(node, problems)?;
        let blue = raw.blue.required(node, problems);
        let green = raw.green.required(node, problems);
        Weights::new(PerColor {
            blue: blue?,
            green: green?,
        })
        .map_err(|problem| node.problem(problems, problem))
        .ok()
    }
}

// === impl ReadRollout ===

impl ReadRollout {
    /// Its name, where it has one.
    pub const fn name(&self) -> Option<&RolloutName> {
        match self {
            Self::Whole(rollout) => Some(&rollout.name),
            Self::Partial { name, .. } => name.as_ref(),
        }
    }

    /// The requests that belong to it, where that is known.
    pub const fn matches(&self) -> Option<&Match> {
        match self {
            Self::Whole(rollout) => Some(&rollout.matches),
            Self::Partial { matches, .. } => matches.as_ref(),
        }
    }

    /// The header that holds the secret of its testers, where there is one.
    pub fn secret_header(&self) -> Option<&HeaderName> {
        match self {
            Self::Whole(rollout) => rollout.overrides.as_ref()?.require.secret_header(),
            Self::Partial { secret_header, .. } => secret_header.as_ref(),
        }
    }
}
