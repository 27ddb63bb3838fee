//! What the streams of one worker need of a configuration.

use super::callback_seen::CallbackSeen;
use super::plugin::Plugin;
use super::proxy_wasm::calls::{self, Expression};
use super::rollout_runtime::RolloutRuntime;
use super::suspect_counter::SuspectCounter;
use crate::analysis::stream_end::StreamEnd;
use crate::policy::policy::Policy;
use crate::policy::rollout::Rollout;
use crate::policy::shared_store::HostStatus;
use std::rc::Rc;

/// A valid configuration with what it counts in, and what Envoy was seen to hand over under it.
pub struct Serving {
    pub policy: Policy,
    pub plugin: Rc<Plugin>,
    runtimes: Vec<RolloutRuntime>,
    /// Tells how a stream ended. It belongs to this configuration: Envoy forgets it with its root context.
    pub end_expression: Option<Expression>,
    /// In the profiles that go by it.
    pub suspects: Option<Rc<SuspectCounter>>,
    pub request_bodies: CallbackSeen,
    pub responses: CallbackSeen,
    pub response_bodies: CallbackSeen,
    pub response_trailers: CallbackSeen,
}

// === impl Serving ===

impl Serving {
    /// Defines metrics.
    pub fn new(policy: Policy, plugin: Rc<Plugin>) -> Result<Self, HostStatus> {
        let runtime = |rollout: &Rollout| RolloutRuntime::new(&plugin, &policy, rollout);
        let runtimes = policy
            .rollouts
            .iter()
            .map(runtime)
            .collect::<Result<Vec<_>, _>>()?;
        let is_signalled = policy.profile.is_signalled() && SuspectCounter::is_possible();
        let suspects = is_signalled.then(|| plugin.suspects()).transpose()?;
        Ok(Self {
            policy,
            plugin,
            runtimes,
            end_expression: calls::compile(StreamEnd::EXPRESSION),
            suspects,
            request_bodies: CallbackSeen::default(),
            responses: CallbackSeen::default(),
            response_bodies: CallbackSeen::default(),
            response_trailers: CallbackSeen::default(),
        })
    }

    /// A rollout and its runtime.
    pub fn rollout(&self, index: usize) -> Option<(&Rollout, &RolloutRuntime)> {
        Some((self.policy.rollouts.get(index)?, self.runtimes.get(index)?))
    }

    /// All of them.
    pub fn rollouts(&self) -> impl Iterator<Item = (&Rollout, &RolloutRuntime)> {
        self.policy.rollouts.iter().zip(&self.runtimes)
    }
}
