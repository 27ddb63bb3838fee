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
use log::error;
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

    /// A good response was sent: request and response should have come this way where something is to be done
    /// with them.
    pub fn miss_callbacks(&self, rollout: usize, request_is_complete: bool) {
        let Some((rollout, _)) = self.rollout(rollout) else {
            return;
        };
        let name = rollout.name.as_str();
        if self.policy.needs_responses(rollout) {
            self.responses.miss(|| {
                error!(
                    "rollout {name}: responses do not reach the filter, which color_header, new_cookie, slow_after, \
                     quality, compare and all profiles but lean need: allow proxy_on_response_headers"
                );
            });
        }
        let had_body = || calls::int_property(b"response\0size").is_some_and(|size| size > 0);
        if rollout.stream.is_some() && self.response_bodies.is_due() && had_body() {
            self.response_bodies.miss(|| {
                error!(
                    "rollout {name}: bodies of responses do not reach the filter, which stream needs, so slow_after \
                     goes by their start, and errors in them are not seen: allow proxy_on_response_body"
                );
            });
        }
        if rollout.slow_after().is_some() && !request_is_complete {
            self.request_bodies.miss(|| {
                error!(
                    "rollout {name}: bodies of requests do not reach the filter, so a request with a body is never \
                     slow: allow proxy_on_request_body and proxy_on_request_trailers"
                );
            });
        }
    }

    /// Asks Envoy how the stream at hand ended, in one cheap call where the class of the code is enough to know.
    pub fn query_end(&self) -> StreamEnd {
        let length = self.end_expression.and_then(calls::evaluate_to_length);
        let end = length.and_then(StreamEnd::from_expression_length);
        end.unwrap_or_else(|| StreamEnd {
            code: calls::int_property(b"response\0code").unwrap_or(0),
            flags: calls::int_property(b"response\0flags").unwrap_or(0),
            attempts: calls::int_property(b"upstream\0request_attempt_count").unwrap_or(0),
            ..StreamEnd::PLAIN
        })
    }
}
