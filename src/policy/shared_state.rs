//! What all VMs of one Envoy must agree on: which rollouts are rolled back, and which ramps are promoted.

use crate::analysis::guard::Cause;
use crate::policy::policy::Policy;
use crate::policy::rollout::RolloutStatus;
use crate::policy::rollout_identity::RolloutIdentity;
use crate::value::name::RolloutName;
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct RolloutFacts {
    #[serde(skip_serializing_if = "Option::is_none")]
    rollback: Option<Rollback>,
    #[serde(skip_serializing_if = "Option::is_none")]
    promotion: Option<Promotion>,
    /// How many rollbacks a change of the configuration has ended.
    ended_rollbacks: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rollback {
    digest: u64,
    cause: Cause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Promotion {
    gate: u64,
    at_ms: u64,
}

/// Something that became known of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It was rolled back.
    RolledBack(Cause),
    /// Its ramp was promoted, in milliseconds since 1970.
    Promoted(u64),
}

// === impl SharedState ===

impl SharedState {
    /// Notes which configuration is in force, and ends what was said of others. Says whether there was something
    /// to note or to end.
    pub fn begin(&mut self, policy: &Policy, identities: &[RolloutIdentity]) -> bool {
        let before = std::mem::replace(&mut self.config, policy.fingerprint);
        let mut changed = before != policy.fingerprint;
        for (name, facts) in &mut self.rollouts {
            let index = policy.named(name);
            let identity = index.and_then(|index| identities.get(index));
            changed |= facts.end_others(identity);
        }
        changed
    }

    /// Whether this is the configuration in force.
    pub fn is_about(&self, policy: &Policy) -> bool {
        self.config == policy.fingerprint
    }

    /// What has become of a rollout since its configuration came into force.
    pub fn status(&self, name: &RolloutName, identity: &RolloutIdentity) -> RolloutStatus {
        let facts = self.facts(name);
        let rollback = facts.rollback.filter(|it| it.digest == identity.digest);
        let promotion = facts.promotion.filter(|it| it.gate == identity.gate);
        RolloutStatus {
            tripped: rollback.map(|it| it.cause),
            promoted_at_ms: promotion.map(|it| it.at_ms),
        }
    }

    /// What requests that are decided now count for. Differs where clusters, releases or salt differ, and
    /// after each rollback: what was sent to a canary that was rolled back is not held against its repair.
    pub fn generation(&self, name: &RolloutName, identity: &RolloutIdentity) -> u64 {
        let mut hash = Xxh64::new(identity.generation);
        hash.update(&self.facts(name).ended_rollbacks.to_le_bytes());
        hash.digest()
    }

    /// Adds a fact about a rollout, where it is new. Says whether it is.
    pub fn add(&mut self, name: &RolloutName, identity: &RolloutIdentity, fact: Fact) -> bool {
        let known = self.status(name, identity);
        let facts = self.rollouts.entry(name.as_str().to_owned()).or_default();
        match fact {
            Fact::RolledBack(cause) if known.tripped.is_none() => {
                let digest = identity.digest;
                facts.rollback = Some(Rollback { digest, cause });
                true
            }
            Fact::Promoted(at_ms) if known.promoted_at_ms.is_none() => {
                let gate = identity.gate;
                facts.promotion = Some(Promotion { gate, at_ms });
                true
            }
            Fact::RolledBack(_) | Fact::Promoted(_) => false,
        }
    }

    fn facts(&self, name: &RolloutName) -> RolloutFacts {
        let facts = self.rollouts.get(name.as_str());
        facts.copied().unwrap_or_default()
    }
}

// === impl RolloutFacts ===

impl RolloutFacts {
    fn end_others(&mut self, identity: Option<&RolloutIdentity>) -> bool {
        let before = *self;
        if self.rollback.map(|it| it.digest) != identity.map(|it| it.digest)
            && self.rollback.take().is_some()
        {
            self.ended_rollbacks = self.ended_rollbacks.saturating_add(1);
        }
        if self.promotion.map(|it| it.gate) != identity.map(|it| it.gate) {
            self.promotion = None;
        }
        *self != before
    }
}
