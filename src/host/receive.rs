//! What a request is when it comes in: one for blue or green, feedback, or neither.

use super::active::Active;
use super::clock;
use super::fleet_link::FleetLink;
use super::phase::Phase;
use super::proxy_wasm::calls;
use super::rollout_runtime::RolloutRuntime;
use super::routed_stream::{RoutedStream, StreamRole};
use super::vm;
use crate::analysis::grpc::is_grpc;
use crate::analysis::shadow::Shadow;
use crate::policy::decide::{Decision, Reason};
use crate::policy::report::Report;
use crate::policy::rollout::Rollout;
use crate::policy::seen_ids::without_retries;
use crate::policy::shared_store::HostStatus;
use crate::request::client_request::Request;
use crate::request::headers::Headers;
use crate::value::color::Color;

// === impl Active ===

impl Active {
    /// Reads the request at hand, decides it, and routes it; or receives it as feedback. `context` is Envoy's number of
    /// its stream, `is_complete` says that it has no body.
    pub fn receive(&self, context: u32, is_complete: bool) -> Result<Phase, HostStatus> {
        let block = calls::request_headers()?;
        let headers = Headers::new(&block);
        if headers.shadow().is_some() {
            if calls::is_true(Shadow::LISTENER_PROPERTY) {
                return self.receive_copy(headers, is_complete);
            }
            calls::remove_request_header(Shadow::HEADER)?;
        }
        if let Some(feedback) = &self.serving.policy.feedback
            && feedback.is_at(headers.path())
        {
            return self.receive_feedback(feedback, &headers, context, is_complete);
        }
        for name in self.serving.policy.secrets_in(&headers) {
            calls::remove_request_header(name.as_str())?;
        }
        let found = self.serving.policy.find(&headers);
        let Some((index, (rollout, runtime))) =
            found.and_then(|index| Some((index, self.serving.rollout(index)?)))
        else {
            self.pass_on(&headers)?;
            return Ok(Phase::Passing);
        };
        let request = Request {
            headers,
            property: &calls::property,
        };
        self.route((index, rollout, runtime), &request, context, is_complete)
    }

    /// Routes the copy of a request to the canary; nowhere where there is none that wants it.
    fn receive_copy(&self, headers: Headers<'_>, is_complete: bool) -> Result<Phase, HostStatus> {
        let found = self.serving.policy.find(&headers);
        let known = found.and_then(|index| Some((index, self.serving.rollout(index)?)));
        let Some((index, (rollout, runtime))) = known.filter(|(_, (it, _))| it.shadow.is_some())
        else {
            return Ok(Phase::Passing);
        };
        let request = Request {
            headers,
            property: &calls::property,
        };
        runtime.define(&self.serving.policy, rollout);
        let decision = rollout.decide_copy(&request);
        let is_judged = rollout.judges(&decision, runtime.weights(rollout), true);
        let role = StreamRole {
            is_copy: true,
            is_judged,
        };
        let place = (index, rollout, runtime);
        let stream = self.send(place, &request, decision, role, is_complete)?;
        Ok(Phase::Routed(stream))
    }

    /// Lets a request through that belongs to no rollout. The headers that the filter sets are never the client's.
    fn pass_on(&self, headers: &Headers<'_>) -> Result<(), HostStatus> {
        self.serving.plugin.unmatched.increment();
        for name in [
            Some(&self.serving.policy.route_header),
            self.serving.policy.color_header.as_ref(),
        ] {
            if let Some(name) = name
                && headers.first(name.as_str()).is_some()
            {
                calls::remove_request_header(name.as_str())?;
            }
        }
        Ok(())
    }

    fn route(
        &self,
        (index, rollout, runtime): (usize, &Rollout, &RolloutRuntime),
        request: &Request<'_>,
        context: u32,
        is_complete: bool,
    ) -> Result<Phase, HostStatus> {
        runtime.define(&self.serving.policy, rollout);
        let weights = runtime.weights(rollout);
        let mut decision = vm::with_rng(|rng| rollout.decide(request, weights, rng));
        let holds = self.fleet.as_ref().is_some_and(FleetLink::holds);
        if holds && decision.reason != Reason::Override {
            return self.hold(rollout, request, context, is_complete);
        }
        decision.is_copied &= runtime.copies();
        let role = StreamRole {
            is_copy: false,
            is_judged: rollout.judges(&decision, weights, false),
        };
        if decision.is_copied {
            calls::set_request_header(Shadow::HEADER, Shadow::TARGET)?;
        }
        let place = (index, rollout, runtime);
        let stream = self.send(place, request, decision, role, is_complete)?;
        Ok(Phase::Routed(stream))
    }

    /// Sends a request to where it was decided to go.
    fn send(
        &self,
        (index, rollout, runtime): (usize, &Rollout, &RolloutRuntime),
        request: &Request<'_>,
        decision: Decision,
        role: StreamRole,
        is_complete: bool,
    ) -> Result<RoutedStream, HostStatus> {
        let started_ns = if rollout.slow_after().is_some() {
            clock::steady_ns()
        } else if self.serving.policy.profile.shows_streams() || rollout.times_first_chunk() {
            clock::about_steady_ns()
        } else {
            0
        };
        self.set_color(rollout, request, decision.color)?;
        let content_type = request.headers.content_type();
        let is_grpc = content_type.is_some_and(is_grpc);
        let place = (index, rollout, runtime);
        let mut stream =
            RoutedStream::new(&self.serving, place, decision, role, started_ns, is_grpc);
        if runtime.compares {
            stream.await_label(&request.headers, decision.is_copied);
        }
        if is_complete {
            stream.request_completed(rollout, runtime, started_ns);
        }
        Ok(stream)
    }

    /// Has Envoy route the request at hand to a color.
    pub fn set_color(
        &self,
        rollout: &Rollout,
        request: &Request<'_>,
        color: Color,
    ) -> Result<(), HostStatus> {
        let route_header = self.serving.policy.route_header.as_str();
        if let Some(clusters) = &rollout.clusters {
            calls::set_request_header(route_header, clusters.of(color).as_str())?;
        } else if request.headers.first(route_header).is_some() {
            calls::remove_request_header(route_header)?;
        }
        if let Some(name) = &self.serving.policy.color_header {
            calls::set_request_header(name.as_str(), color.as_str())?;
        }
        Ok(())
    }

    /// Counts feedback, but for what is a retry.
    pub fn count(&self, mut reports: Vec<Report>) {
        if reports.iter().any(|report| report.id.is_some()) {
            let now_s = u32::try_from(clock::steady_ns() / 1_000_000_000).unwrap_or(u32::MAX);
            reports = self
                .serving
                .plugin
                .with_peers(|peers| without_retries(&peers.store, &peers.keys, now_s, reports));
        }
        for report in Report::sums(reports) {
            if let Some((rollout, runtime)) = self.serving.rollout(report.rollout) {
                runtime.define(&self.serving.policy, rollout);
                runtime.state.add_outcomes(report.color, &report.outcomes);
                let scores = &report.scores;
                runtime.state.add_scores(report.color, rollout, scores);
            }
        }
    }
}
