//! What all VMs of one Envoy must agree on: which rollouts are rolled back, which ramps are promoted, and how far
//! ramps have come.

use crate::analysis::guard::Cause;
use crate::analysis::ramp_progress::{RampPosition, RampProgress};
use crate::analysis::window::Counts;
use crate::policy::policy::Policy;
use crate::policy::ramp_begin::{RampBegin, RampNotice};
use crate::policy::rollout::RolloutStatus;
use crate::policy::rollout_counts::Epoch;
use crate::policy::rollout_identity::RolloutIdentity;
use crate::value::color::{Color, PerColor};
use crate::value::name::{ReleaseLabel, RolloutName};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use xxhash_rust::xxh64::{Xxh64, Xxh64Builder};

/// What is known of the rollouts, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SharedState {
    /// The fingerprint of the configuration in force.
    config: u32,
    rollouts: HashMap<String, RolloutFacts, Xxh64Builder>,
}

/// What is known of one rollout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct RolloutFacts {
    #[serde(skip_serializing_if = "Option::is_none")]
    rollback: Option<Rollback>,
    #[serde(skip_serializing_if = "Option::is_none")]
    promotion: Option<Promotion>,
    /// How many rollbacks a change of the configuration has ended.
    ended_rollbacks: u32,
    /// When the last of them ended, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    rollback_ended_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slow_after: Option<LearnedSlowAfter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    releases: Option<PerColor<Release>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ramp: Option<RampFact>,
}

/// The label of what a color runs, empty where the configuration gives none, and how many the color has had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Release(String, u32);

/// The digest of the rollout that was rolled back, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rollback(u64, Cause);

/// The digest of the gate that was passed, and when, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Promotion(u64, u64);

/// The generation whose responses tell when one is slow, and after how many nanoseconds that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LearnedSlowAfter(u64, u64);
/// The digest of a ramp, and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RampFact(u64, RampProgress);

/// What came of a configuration's coming into force.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// Whether there was something to note or to end.
    pub has_changed: bool,
    /// What there is to say of ramps that begin, each with the index of its rollout.
    pub ramps: Vec<(usize, RampNotice)>,
}

/// Something that became known of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It was rolled back.
    RolledBack(Cause),
    /// Its ramp was promoted, in milliseconds since 1970.
    Promoted(u64),
    /// Its responses are slow after so many nanoseconds.
    SlowAfter(u64),
    /// Its ramp went on from one position to another.
    Advanced(Option<RampPosition>, RampPosition),
}

// === impl SharedState ===

impl SharedState {
    /// Notes which configuration is in force now, in milliseconds since 1970, and which releases it names, begins
    /// its ramps, and ends what was said of others. `counted` gives the requests of an epoch so far.
    pub fn begin(
        &mut self,
        policy: &Policy,
        identities: &[RolloutIdentity],
        now_ms: u64,
        counted: impl Fn(&RolloutName, Epoch) -> PerColor<Counts>,
    ) -> Begun {
        let before = std::mem::replace(&mut self.config, policy.fingerprint);
        let mut changed = before != policy.fingerprint;
        for (name, facts) in &mut self.rollouts {
            let index = policy.named(name);
            let identity = index.and_then(|index| identities.get(index));
            changed |= facts.end_others(identity, now_ms);
        }
        for rollout in policy.rollouts.iter().filter(|it| policy.measures(it)) {
            let name = rollout.name.as_str();
            changed |= match self.rollouts.get_mut(name) {
                Some(facts) => facts.begin_releases(&rollout.releases),
                None => {
                    let mut facts = RolloutFacts::default();
                    facts.begin_releases(&rollout.releases);
                    self.rollouts.insert(name.to_owned(), facts);
                    true
                }
            };
        }
        let mut ramps = Vec::new();
        for (index, (rollout, identity)) in policy.rollouts.iter().zip(identities).enumerate() {
            let name = &rollout.name;
            let requests = || {
                let counts = counted(name, self.epoch(name, identity));
                let is_all = policy.fleet.is_none();
                is_all.then_some(counts.of(rollout.stable.other()).requests)
            };
            let status = self.status(name, identity);
            let facts = self.rollouts.get(name.as_str());
            let rollback_ended_ms = facts.and_then(|facts| facts.rollback_ended_ms);
            if let Some(begin) = RampBegin::of(rollout, status, rollback_ended_ms, now_ms, requests)
            {
                let facts = self.rollouts.entry(name.as_str().to_owned()).or_default();
                facts.ramp = Some(RampFact(identity.ramp, begin.progress));
                ramps.extend(begin.notice.map(|notice| (index, notice)));
                changed = true;
            }
        }
        Begun {
            has_changed: changed,
            ramps,
        }
    }

    /// Whether this is the configuration in force.
    pub fn is_about(&self, policy: &Policy) -> bool {
        self.config == policy.fingerprint
    }

    /// What has become of a rollout since its configuration came into force.
    pub fn status(&self, name: &RolloutName, identity: &RolloutIdentity) -> RolloutStatus {
        let facts = self.rollouts.get(name.as_str());
        let rollback = facts.and_then(|facts| facts.rollback);
        let promotion = facts.and_then(|facts| facts.promotion);
        let rollback = rollback.filter(|&Rollback(digest, _)| digest == identity.digest);
        let promotion = promotion.filter(|&Promotion(gate, _)| gate == identity.gate);
        let slow_after = facts.and_then(|facts| facts.slow_after);
        let slow_after = slow_after.filter(|&LearnedSlowAfter(it, _)| it == identity.generation);
        let ramp = facts.and_then(|facts| facts.ramp);
        let ramp = ramp.filter(|&RampFact(digest, _)| digest == identity.ramp);
        RolloutStatus {
            tripped: rollback.map(|Rollback(_, cause)| cause),
            promoted_at_ms: promotion.map(|Promotion(_, at_ms)| at_ms),
            slow_after_ns: slow_after.map(|LearnedSlowAfter(_, ns)| ns),
            ramp: ramp.map(|RampFact(_, progress)| progress),
        }
    }

    /// What is counted now belongs to. What was sent to a canary that was rolled back is not held against its
    /// repair, and outcomes of a release that is over not against one that has its label again.
    pub fn epoch(&self, name: &RolloutName, identity: &RolloutIdentity) -> Epoch {
        let facts = self.rollouts.get(name.as_str());
        let ended_rollbacks = facts.map_or(0, |facts| facts.ended_rollbacks);
        let mut hash = Xxh64::new(identity.generation);
        hash.update(&ended_rollbacks.to_le_bytes());
        let releases = facts.and_then(|facts| facts.releases.as_ref());
        Epoch {
            generation: hash.digest(),
            releases: PerColor::from_fn(|color| releases.map_or(0, |it| it.of(color).1)),
        }
    }

    /// Adds a fact about a rollout, where it is new. Says whether it is.
    pub fn add(&mut self, name: &RolloutName, identity: &RolloutIdentity, fact: Fact) -> bool {
        let known = self.status(name, identity);
        let facts = self.rollouts.entry(name.as_str().to_owned()).or_default();
        match fact {
            Fact::RolledBack(cause) if known.tripped.is_none() => {
                facts.rollback = Some(Rollback(identity.digest, cause));
                true
            }
            Fact::Promoted(at_ms) if known.promoted_at_ms.is_none() => {
                facts.promotion = Some(Promotion(identity.gate, at_ms));
                true
            }
            Fact::SlowAfter(ns) if known.slow_after_ns != Some(ns) => {
                facts.slow_after = Some(LearnedSlowAfter(identity.generation, ns));
                true
            }
            Fact::Advanced(from, to)
                if known.ramp.is_none() || known.ramp == from.map(RampProgress::AtStep) =>
            {
                facts.ramp = Some(RampFact(identity.ramp, RampProgress::AtStep(to)));
                true
            }
            Fact::RolledBack(_) | Fact::Promoted(_) | Fact::SlowAfter(_) | Fact::Advanced(..) => {
                false
            }
        }
    }
}

// === impl RolloutFacts ===

impl RolloutFacts {
    fn end_others(&mut self, identity: Option<&RolloutIdentity>, now_ms: u64) -> bool {
        let ends = |digest: u64, other: Option<u64>| other != Some(digest);
        let ended = self
            .rollback
            .take_if(|it| ends(it.0, identity.map(|it| it.digest)));
        let unpromoted = self
            .promotion
            .take_if(|it| ends(it.0, identity.map(|it| it.gate)));
        let has_ended = ended.is_some();
        if has_ended {
            self.ended_rollbacks = self.ended_rollbacks.saturating_add(1);
            self.rollback_ended_ms = Some(now_ms);
        }
        let ramp = self
            .ramp
            .take_if(|it| has_ended || ends(it.0, identity.map(|it| it.ramp)));
        has_ended || unpromoted.is_some() || ramp.is_some()
    }

    /// Begins a release of each color whose label is another than before.
    fn begin_releases(&mut self, labels: &PerColor<Option<ReleaseLabel>>) -> bool {
        let mut changed = self.releases.is_none();
        let releases = self.releases.get_or_insert_default();
        for color in Color::ALL {
            let label = labels.of(color).as_ref().map_or("", ReleaseLabel::as_str);
            let Release(before, number) = releases.of_mut(color);
            if before != label {
                label.clone_into(before);
                *number = number.saturating_add(1);
                changed = true;
            }
        }
        changed
    }
}
