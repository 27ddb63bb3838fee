//! What a request is when it comes in: one for blue or green, feedback, or neither.

use super::active::Active;
use super::clock;
use super::fleet_link::FleetLink;
use super::phase::Phase;
use super::proxy_wasm::calls;
use super::rollout_runtime::RolloutRuntime;
use super::routed_stream::RoutedStream;
use super::vm;
use crate::analysis::grpc::is_grpc;
use crate::policy::decide::Reason;
use crate::policy::feedback::Report;
use crate::policy::rollout::Rollout;
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
        if let Some(feedback) = &self.policy.feedback
            && feedback.is_at(headers.first(":path").unwrap_or_default())
        {
            return self.receive_feedback(feedback, &headers, context, is_complete);
        }
        for name in self.policy.secrets_in(&headers) {
            calls::remove_request_header(name.as_str())?;
        }
        let found = self.policy.find(&headers);
        let Some((index, (rollout, runtime))) =
            found.and_then(|index| Some((index, self.rollout(index)?)))
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

    /// Lets a request through that belongs to no rollout. The headers that the filter sets are never the client's.
    fn pass_on(&self, headers: &Headers<'_>) -> Result<(), HostStatus> {
        self.plugin.unmatched.increment();
        for name in [
            Some(&self.policy.route_header),
            self.policy.color_header.as_ref(),
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
        let started_ns = if rollout.slow_after().is_some() {
            clock::steady_ns()
        } else if self.policy.profile.shows_streams() {
            clock::about_steady_ns()
        } else {
            0
        };
        runtime.define(&self.policy, rollout);
        let weights = runtime.weights(rollout);
        let decision = vm::with_rng(|rng| rollout.decide(request, weights, rng));
        let holds = self.fleet.as_ref().is_some_and(FleetLink::holds);
        if holds && decision.reason != Reason::Override {
            return self.hold(rollout, request, context, is_complete);
        }
        self.set_color(rollout, request, decision.color)?;
        let content_type = request.headers.first("content-type");
        let is_grpc = content_type.is_some_and(is_grpc);
        let place = (index, runtime);
        let mut stream = RoutedStream::new(self, place, decision, started_ns, is_grpc);
        if is_complete {
            stream.request_completed(rollout, runtime, started_ns);
        }
        Ok(Phase::Routed(stream))
    }

    /// Has Envoy route the request at hand to a color.
    pub fn set_color(
        &self,
        rollout: &Rollout,
        request: &Request<'_>,
        color: Color,
    ) -> Result<(), HostStatus> {
        let route_header = self.policy.route_header.as_str();
        if let Some(clusters) = &rollout.clusters {
            calls::set_request_header(route_header, clusters.of(color).as_str())?;
        } else if request.headers.first(route_header).is_some() {
            calls::remove_request_header(route_header)?;
        }
        if let Some(name) = &self.policy.color_header {
            calls::set_request_header(name.as_str(), color.as_str())?;
        }
        Ok(())
    }

    /// Counts feedback.
    pub fn count(&self, reports: Vec<Report>) {
        for report in Report::sums(reports) {
            if let Some((rollout, runtime)) = self.rollout(report.rollout) {
                runtime.define(&self.policy, rollout);
                runtime.state.add_outcomes(report.color, &report.outcomes);
            }
        }
    }
}
