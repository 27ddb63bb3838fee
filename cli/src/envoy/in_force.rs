//! What is in force in a running Envoy.

use crate::envoy::admin::Admin;
use crate::envoy::dump::Dump;
use crate::envoy::samples::Samples;
use crate::failure::Failure;
use bluegreen::{Color, Percent, Policy, Weights};

/// What one Envoy shows of the filter.
#[derive(Clone, Debug)]
pub struct InForce {
    /// Its metrics.
    pub samples: Samples,
    /// The configuration in force, where Envoy shows it.
    pub policy: Option<Policy>,
    /// Its text.
    pub json: Option<String>,
}

/// How a rollout does in one Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolloutState {
    /// The weights in force.
    pub weights: Weights,
    /// The index of the ramp's step in force, where Envoy shows it and the ramp has started.
    pub step: Option<usize>,
    /// Whether the step waits for evidence.
    pub is_waiting: bool,
    /// Whether the rollout is rolled back.
    pub is_rolled_back: bool,
    /// Whether there is too little to judge.
    pub is_inconclusive: bool,
}

// === impl InForce ===

impl InForce {
    /// Asks an Envoy.
    ///
    /// # Errors
    /// Where no Envoy answers.
    pub fn ask(admin: &Admin) -> Result<Self, Failure> {
        let samples = admin.samples()?;
        let json = match samples.fingerprint() {
            Some(fingerprint) => Dump::new(admin.json("/config_dump")?).json_of(fingerprint),
            None => None,
        };
        let policy = json
            .as_ref()
            .and_then(|json| Policy::parse(json.as_bytes()).ok());
        Ok(Self {
            samples,
            policy,
            json,
        })
    }

    /// The rollouts that are configured, by the configuration where Envoy shows it: stats outlive rollouts.
    pub fn names(&self) -> Vec<String> {
        match &self.policy {
            Some(policy) => {
                let names = policy.rollouts.iter().map(|it| it.name.as_str().to_owned());
                names.collect()
            }
            None => self
                .samples
                .rollouts()
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }
    }

    /// How a rollout does.
    pub fn state(&self, rollout: &str) -> Option<RolloutState> {
        RolloutState::of(&self.samples, rollout)
    }
}

// === impl RolloutState ===

impl RolloutState {
    /// Below that of a ramp before its start: Envoy shows -1 without its sign.
    const BEFORE_START: f64 = 1e18;

    /// Of what Envoy shows of a rollout; none where it has no weight of it.
    pub fn of(samples: &Samples, rollout: &str) -> Option<Self> {
        let green = samples.weight(rollout, Color::Green)?;
        let guard = samples.of("bluegreen_guard_state", rollout).unwrap_or(0.0);
        let step = samples.of("bluegreen_ramp_step", rollout);
        Some(Self {
            weights: Weights::giving(Color::Green, Percent::from_millipercent(green)),
            step: step
                .filter(|step| (0.0..Self::BEFORE_START).contains(step))
                .map(|step| step as usize),
            is_waiting: samples.of("bluegreen_ramp_waiting", rollout) == Some(1.0),
            is_rolled_back: guard >= 2.0,
            is_inconclusive: guard == 1.0,
        })
    }
}
