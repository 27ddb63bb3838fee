//! What a request is when it comes in: one for blue or green, feedback, or neither.

use super::active::Active;
use super::proxy_wasm::calls::{self, HostStatus};
use super::rollout_runtime::RolloutRuntime;
use super::routed_stream::RoutedStream;
use super::stream::Phase;
use super::vm;
use crate::analysis::quality::Outcome;
use crate::policy::feedback::{Feedback, Refusal, Report};
use crate::policy::rollout::Rollout;
use crate::request::client_request::Request;
use crate::request::headers::Headers;

/// No cluster has this name. Feedback is routed to it, so that it reaches no upstream where Envoy is
/// not allowed to give the filter its body.
const NO_CLUSTER: &str = "feedback-needs-capability-proxy_on_request_body";

// === impl Active ===

impl Active {
    /// Reads the request at hand, decides it, and routes it; or refuses it as feedback.
    pub fn receive(&self) -> Result<Result<Phase, Refusal>, HostStatus> {
        let block = calls::request_headers()?;
        let headers = Headers::new(&block);
        if let Some(feedback) = &self.policy.feedback
            && feedback.is_at(headers.first(":path").unwrap_or_default())
        {
            let admitted = feedback.admit(&headers);
            let route_header = self.policy.route_header.as_str();
            calls::set_request_header(route_header, NO_CLUSTER)?;
            return Ok(admitted.map(|()| Phase::Feedback));
        }
        for name in self.policy.secrets_in(&headers) {
            calls::remove_request_header(name.as_str())?;
        }
        let found = self.policy.find(&headers);
        let Some((index, (rollout, lane))) =
            found.and_then(|index| Some((index, self.rollout(index)?)))
        else {
            self.pass_on(&headers)?;
            return Ok(Ok(Phase::Passing));
        };
        let request = Request {
            headers,
            property: &calls::property,
        };
        let decided = self.decide(index, rollout, lane, &request)?;
        Ok(Ok(Phase::RoutedStream(decided)))
    }

    /// Lets a request through that belongs to no rollout. The routing header is never the client's.
    fn pass_on(&self, headers: &Headers<'_>) -> Result<(), HostStatus> {
        self.general.unmatched.increment();
        let route_header = self.policy.route_header.as_str();
        if headers.first(route_header).is_some() {
            calls::remove_request_header(route_header)?;
        }
        Ok(())
    }

    fn decide(
        &self,
        index: usize,
        rollout: &Rollout,
        lane: &RolloutRuntime,
        request: &Request<'_>,
    ) -> Result<RoutedStream, HostStatus> {
        let profile = self.policy.profile;
        let is_timed = profile.shows_streams() || rollout.goes_by_the_clock();
        let started_ns = if is_timed { calls::now_ns() } else { 0 };
        let weights = lane.weights(rollout, started_ns / 1_000_000);
        let decision = vm::with_rng(|rng| rollout.decide(request, weights, rng));
        let color = decision.color;
        let cluster = rollout.clusters.of(color).as_str();
        calls::set_request_header(self.policy.route_header.as_str(), cluster)?;
        if let Some(name) = &self.policy.color_header {
            calls::set_request_header(name.as_str(), color.as_str())?;
        }
        let is_grpc = request.headers.is_grpc();
        let place = (index, rollout, lane);
        Ok(RoutedStream::new(
            self, place, decision, started_ns, is_grpc,
        ))
    }

    /// Counts feedback.
    pub fn count(&self, reports: Vec<Report>) {
        for report in Feedback::sums(reports) {
            if let Some((_, lane)) = self.rollout(report.rollout)
                && let Some(quality) = lane.state.quality.get()
            {
                for kind in Outcome::ALL {
                    let counter = quality.of(report.color).outcomes(kind);
                    counter.add(report.outcomes.of(kind));
                }
                lane.show_outcomes();
                lane.state.note_news();
            }
        }
    }
}
