//! What a fact about a rollout is tied to.

use crate::policy::rollout::Rollout;

/// Digests of a rollout's configuration: a fact about a rollout holds as long as its digest is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolloutIdentity {
    /// Of all of it: a rollback holds until any field changes.
    pub digest: u64,
    /// Of what the quality gate goes by.
    pub gate: u64,
    /// Of ramp, clusters, releases, salt and stable color: a ramp goes on as long as it is the same.
    pub ramp: u64,
    /// Of clusters, releases and salt: requests count for those that they were decided under.
    pub generation: u64,
}

// === impl RolloutIdentity ===

impl RolloutIdentity {
    /// The digests of a rollout.
    pub fn of(rollout: &Rollout) -> Self {
        Self {
            digest: rollout.digest(),
            gate: rollout.gate_digest(),
            ramp: rollout.ramp_digest(),
            generation: rollout.generation_digest(),
        }
    }
}
