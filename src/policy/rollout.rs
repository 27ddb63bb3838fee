//! One rollout: two versions that share some traffic, and how.

use crate::analysis::guard::{Cause, Guard, SlowAfter};
use crate::analysis::quality::Quality;
use crate::analysis::ramp::{Hold, Ramp, RampPlace};
use crate::analysis::ramp_progress::{RampPosition, RampProgress};
use crate::analysis::score::Score;
use crate::analysis::shadow::Shadow;
use crate::analysis::streaming::Streaming;
use crate::assign::key_source::KeySource;
use crate::assign::new_cookie::NewCookie;
use crate::assign::overrides::Override;
use crate::request::host_pattern::HostPattern;
use crate::value::bucket::Salt;
use crate::value::color::{Color, PerColor};
use crate::value::name::{ClusterName, ReleaseLabel, RolloutName};
use crate::value::percent::{Percent, Weights};

/// Two clusters that share the traffic of one match.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollout {
    /// Its name in stats.
    pub name: RolloutName,
    /// The requests that belong to it.
    pub matches: Match,
    /// The Envoy cluster of each color. Without them routes choose by the color header.
    pub clusters: Option<PerColor<ClusterName>>,
    /// How the traffic is split.
    pub weights: Weights,
    /// The color that takes over when the other fails.
    pub stable: Color,
    /// What is hashed before the key.
    pub salt: Salt,
    /// Where the key may stand, in the order in which to look.
    pub sticky: Vec<KeySource>,
    /// The cookie for those who have no key yet.
    pub new_cookie: Option<NewCookie>,
    /// How testers see a color before anyone else.
    pub overrides: Option<Override>,
    /// How the weight goes up by itself.
    pub ramp: Option<Ramp>,
    /// When the traffic goes back to the stable color by itself.
    pub guard: Option<Guard>,
    /// What each color's cluster runs at present.
    pub releases: PerColor<Option<ReleaseLabel>>,
    /// How good the predictions must be.
    pub quality: Option<Quality>,
    /// What is watched of responses that come piece by piece.
    pub stream: Option<Streaming>,
    /// Which requests the canary gets a copy of.
    pub shadow: Option<Shadow>,
}

/// What has become of a rollout since its configuration came into force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RolloutStatus {
    /// Why it was rolled back, if it was.
    pub tripped: Option<Cause>,
    /// When the quality gate promoted its ramp, in milliseconds since 1970.
    pub promoted_at_ms: Option<u64>,
    /// Beyond which time to a response a request is slow, where the stable color's own times tell.
    pub slow_after_ns: Option<u64>,
    /// How far its ramp has come, where that is known.
    pub ramp: Option<RampProgress>,
}

/// The requests that belong to a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// One of these hosts.
    pub hosts: Vec<HostPattern>,
    /// A path that begins so; empty for any.
    pub path_prefix: String,
}

// === impl Rollout ===

impl Rollout {
    /// The weights in force at a time in milliseconds since 1970.
    pub fn weights_at(&self, now_ms: u64, status: RolloutStatus) -> Weights {
        if status.tripped.is_some() {
            return Weights::giving(self.stable, Percent::HUNDRED);
        }
        let place = self.ramp_place(now_ms, status);
        place.map_or(self.weights, |place| {
            Weights::giving(self.stable.other(), place.weight)
        })
    }

    /// The weights in force, where time alone does not change them.
    pub fn fixed_weights(&self, status: RolloutStatus) -> Option<Weights> {
        let ramp = self.ramp.as_ref().filter(|_| status.tripped.is_none());
        let goes_by_clock = ramp.map(|it| self.ramp_progress(it, status).goes_by_clock());
        (goes_by_clock != Some(true)).then(|| self.weights_at(0, status))
    }

    /// Where the ramp is; nowhere before its start.
    pub fn ramp_place(&self, now_ms: u64, status: RolloutStatus) -> Option<RampPlace> {
        let ramp = self.ramp.as_ref()?;
        let progress = self.ramp_progress(ramp, status);
        if self.waits_for_copies() && progress.is_before_first_step() {
            return None;
        }
        progress.place(ramp, now_ms, self.hold(ramp, status))
    }

    /// The index of the ramp's step in force, none of them before its start. That at which the rollout was rolled back
    /// is not known here.
    pub fn ramp_step(&self, now_ms: u64, status: RolloutStatus) -> Option<Option<usize>> {
        let is_known = self.ramp.is_some() && status.tripped.is_none();
        is_known.then(|| self.ramp_place(now_ms, status).map(|place| place.step))
    }

    /// How far the ramp has come. Where nothing is known it is at its first step if steps ask for evidence, and else
    /// where the clock has it.
    pub fn ramp_progress(&self, ramp: &Ramp, status: RolloutStatus) -> RampProgress {
        let start_ms = ramp.start_ms();
        status.ramp.unwrap_or_else(|| {
            if self.waits_for_evidence(ramp) {
                RampProgress::AtStep(RampPosition::first(start_ms))
            } else {
                RampProgress::ByClock(start_ms)
            }
        })
    }

    /// Whether a step of its ramp asks for more than time.
    pub fn waits_for_evidence(&self, ramp: &Ramp) -> bool {
        self.waits_for_copies() || ramp.asks_for_evidence(self.implied_min_requests())
    }

    /// Whether the first step of its ramp waits for copies of requests.
    pub fn waits_for_copies(&self) -> bool {
        self.shadow.as_ref().is_some_and(Shadow::holds_ramp)
    }

    /// Whether the answers of both colors are compared.
    pub fn compares(&self) -> bool {
        let shadow = self.shadow.as_ref();
        shadow.is_some_and(|it| it.comparison.is_some())
    }

    /// Whether something is held against limits.
    pub fn is_judged(&self) -> bool {
        let shadow = self.shadow.as_ref();
        self.guard.is_some() || self.quality.is_some() || shadow.is_some_and(Shadow::has_limit)
    }

    /// How many canary requests a step of a ramp waits for that does not say so: no ramp goes on past a guard that
    /// can't judge.
    pub fn implied_min_requests(&self) -> u64 {
        self.guard.as_ref().map_or(0, |guard| guard.min_requests)
    }

    /// Where the ramp waits for the quality gate.
    pub fn hold(&self, ramp: &Ramp, status: RolloutStatus) -> Option<Hold> {
        let quality = self.quality.as_ref()?;
        Some(Hold {
            at: quality.hold_at.unwrap_or(ramp.first_weight()),
            promoted_at_ms: status.promoted_at_ms,
        })
    }

    /// Whether outcomes and scores of its predictions are counted.
    pub fn measures(&self) -> bool {
        self.quality.is_some() || self.releases.blue.is_some() || self.releases.green.is_some()
    }

    /// What is measured of its predictions beside their outcomes.
    pub fn scores(&self) -> &[Score] {
        self.quality.as_ref().map_or(&[], |quality| &quality.scores)
    }

    /// Whether a request that succeeded only after a retry has failed.
    pub fn counts_retries(&self) -> bool {
        self.guard.as_ref().is_none_or(|guard| guard.count_retries)
    }

    /// Whether a response is slow by the first byte of its body, not by its start.
    pub fn times_first_chunk(&self) -> bool {
        self.stream.is_some_and(|it| it.first_chunk)
    }

    /// When a response is slow, where there is a guard that asks for it.
    pub fn slow_after(&self) -> Option<SlowAfter> {
        self.guard.as_ref()?.slow_after
    }

    /// Beyond which time to a response a request is slow, where there is a guard that asks for it. As long as too
    /// little is known of the stable color, none is.
    pub fn slow_after_ns(&self, status: RolloutStatus) -> Option<u64> {
        Some(match self.slow_after()? {
            SlowAfter::Fixed(ms) => ms.saturating_mul(1_000_000),
            SlowAfter::Auto => status.slow_after_ns.unwrap_or(u64::MAX),
        })
    }
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
