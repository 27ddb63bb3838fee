//! A request that goes to blue or green, from the decision to the end of its stream.

use super::active::Active;
use super::clock;
use super::grpc_call::GrpcCall;
use super::metrics::StreamMetrics;
use super::proxy_wasm::calls;
use super::rollout_runtime::RolloutRuntime;
use super::rollout_state::RolloutState;
use super::waiting::{self, Waiter};
use crate::analysis::guard::SlowAfter;
use crate::analysis::incident::Origin;
use crate::analysis::quality::Outcome;
use crate::analysis::stream_end::{StreamClass, StreamEnd};
use crate::analysis::waiting::WaitingKey;
use crate::assign::new_cookie::NewId;
use crate::policy::decide::{Decision, Reason};
use crate::policy::feedback_scores::scores_in_header;
use crate::policy::rollout::Rollout;
use log::error;
use std::rc::Rc;

/// What must be known of the request later on: its headers can't be read any more then.
pub struct RoutedStream {
    rollout: usize,
    state: Rc<RolloutState>,
    origin: Origin,
    /// 0 where nothing asks for it.
    started_ns: u64,
    new_id: Option<NewId>,
    grpc: Option<GrpcCall>,
    is_overridden: bool,
    is_complete: bool,
    has_response: bool,
    waiting: Option<WaitingKey>,
    /// Whether it has counted as slow.
    is_slow: bool,
}

/// The response header by which an upstream tells how a prediction turned out.
const OUTCOME_HEADER: &str = "x-bluegreen-outcome";

/// The response header by which an upstream tells scores.
const SCORE_HEADER: &str = "x-bluegreen-score";

// === impl RoutedStream ===

impl RoutedStream {
    /// Counts the decision on the request at hand, of the rollout of this index. `is_grpc` says that it calls itself
    /// gRPC.
    pub fn new(
        active: &Active,
        (index, runtime): (usize, &RolloutRuntime),
        decision: Decision,
        started_ns: u64,
        is_grpc: bool,
    ) -> Self {
        let (color, state) = (decision.color, &runtime.state);
        if let Some(colors) = state.colors.get() {
            colors.of(color).requests(decision.reason).increment();
        }
        if let (true, Some(denied)) = (decision.override_denied, state.override_denied.get()) {
            denied.increment();
        }
        let stream = Self {
            rollout: index,
            state: Rc::clone(state),
            origin: runtime.origin(&decision),
            started_ns,
            new_id: decision.new_id,
            grpc: is_grpc.then(GrpcCall::default),
            is_overridden: decision.reason == Reason::Override,
            is_complete: false,
            has_response: false,
            waiting: None,
            is_slow: false,
        };
        stream.state.start(&stream.origin);
        if let Some(streams) = stream.streams(active) {
            streams.in_flight.add(1);
        }
        stream
    }

    /// Where the profile shows them.
    fn streams(&self, active: &Active) -> Option<&StreamMetrics> {
        let streams = self.state.streams.get();
        let shown = streams.filter(|_| active.policy.profile.shows_streams())?;
        Some(shown.of(self.origin.color))
    }

    /// The client has sent its whole request. From now on it waits for the upstream.
    pub fn request_completed(&mut self, rollout: &Rollout, runtime: &RolloutRuntime, now_ns: u64) {
        self.is_complete = true;
        if let (Some(slow_after_ns), false, false) = (
            runtime.slow_after_ns(rollout),
            self.is_overridden,
            self.has_response,
        ) {
            let waiter = Waiter {
                state: Rc::clone(&self.state),
                origin: self.origin,
            };
            self.waiting = Some(waiting::begin(waiter, now_ns, slow_after_ns));
        }
    }

    pub fn request_body(&mut self, active: &Active, is_last: bool) {
        active.request_bodies.come();
        if let (true, false, Some((rollout, runtime))) =
            (is_last, self.is_complete, active.rollout(self.rollout))
        {
            let is_timed = rollout.slow_after().is_some();
            let now_ns = if is_timed { clock::steady_ns() } else { 0 };
            self.request_completed(rollout, runtime, now_ns);
        }
    }

    pub fn response_started(&mut self, active: &Active, is_whole: bool) {
        active.responses.come();
        self.has_response = true;
        if let Some(name) = &active.policy.color_header {
            let _ = calls::set_response_header(name.as_str(), self.origin.color.as_str());
        }
        if let Some(call) = &mut self.grpc {
            call.response_started(is_whole);
        }
        let Some((rollout, runtime)) = active.rollout(self.rollout) else {
            return;
        };
        self.take_time(active, rollout);
        if let (Some(id), Some(cookie)) = (self.new_id, &rollout.new_cookie) {
            let _ = calls::add_response_header("set-cookie", &cookie.render(id));
        }
        if runtime.measures {
            self.take_outcome();
            if !rollout.scores().is_empty() {
                self.take_scores(rollout);
            }
        }
    }

    pub fn response_trailed(&mut self, active: &Active) {
        active.response_trailers.come();
        if let Some(call) = &mut self.grpc {
            call.response_trailed(active);
        }
    }

    /// Takes the time to the response, where something asks for it.
    fn take_time(&mut self, active: &Active, rollout: &Rollout) {
        let streams = self.streams(active);
        if streams.is_none() && self.waiting.is_none() {
            return;
        }
        let now_ns = self.now_ns();
        if let Some(streams) = streams {
            streams.response_start_ms.record(self.elapsed_ms(now_ns));
        }
        let waited_ns = self.end_wait(now_ns, true);
        if let (Some(ns), Some(SlowAfter::Auto), true) = (
            waited_ns,
            rollout.slow_after(),
            self.origin.color == rollout.stable,
        ) {
            self.state.add_latency(&self.origin, ns);
        }
    }

    /// To the point where the request may be slow.
    fn now_ns(&self) -> u64 {
        if self.waiting.is_some() {
            clock::steady_ns()
        } else {
            clock::about_steady_ns()
        }
    }

    fn elapsed_ms(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.started_ns) / 1_000_000
    }

    /// The request waits no longer. Where its response is slow, it counts so now, unless it has already. Says how long
    /// it waited.
    fn end_wait(&mut self, now_ns: u64, has_response: bool) -> Option<u64> {
        let wait = waiting::end(&self.waiting.take()?, now_ns)?;
        self.is_slow =
            wait.was_found || (has_response && wait.is_slow && self.state.count_slow(&self.origin));
        Some(wait.waited_ns)
    }

    /// Takes the outcome that the upstream tells out of the response.
    fn take_outcome(&self) {
        let Some(value) = calls::response_header(OUTCOME_HEADER) else {
            return;
        };
        let _ = calls::remove_response_header(OUTCOME_HEADER);
        if let (false, Some(kind)) = (self.is_overridden, Outcome::from_bytes(&value)) {
            self.state.count_outcome(&self.origin, kind);
        }
    }

    /// Takes the scores that the upstream tells out of the response.
    fn take_scores(&self, rollout: &Rollout) {
        let Some(value) = calls::response_header(SCORE_HEADER) else {
            return;
        };
        let _ = calls::remove_response_header(SCORE_HEADER);
        let told = scores_in_header(&value, rollout.scores());
        if let (false, Some(scores)) = (self.is_overridden, told) {
            self.state.count_scores(&self.origin, rollout, &scores);
        }
    }

    /// How the stream ended. Envoy is not queried where it would have signaled another end than a plain one.
    fn end(&self, active: &Active) -> StreamEnd {
        let queried = match &active.suspects {
            Some(suspects) => suspects.end_of_stream(|| self.query(active)),
            None => Some(self.query(active)),
        };
        if queried.as_ref().is_some_and(|end| end.is_plain()) {
            self.miss_callbacks(active);
        }
        let mut end = queried.unwrap_or(StreamEnd::PLAIN);
        // Where bodies do not reach the filter, Envoy's code tells.
        end.request_is_complete = self.is_complete || !active.request_bodies.has_come();
        let call = self.grpc.as_ref();
        end.grpc_status = call.and_then(|call| call.status(&end, active));
        if end.needs_response_bytes() {
            end.response_bytes = calls::int_property(b"response\0size").unwrap_or(0);
        }
        if end.needs_origin() {
            let details = calls::property(b"response\0code_details");
            end.is_from_upstream = details.as_deref() == Some(b"via_upstream");
        }
        end
    }

    /// A good response was sent: request and response should have come this way where something is to be done
    /// with them.
    fn miss_callbacks(&self, active: &Active) {
        let Some((rollout, _)) = active.rollout(self.rollout) else {
            return;
        };
        let name = rollout.name.as_str();
        if active.policy.needs_responses(rollout) {
            active.responses.miss(|| {
                error!(
                    "rollout {name}: responses do not reach the filter, which color_header, new_cookie, slow_after, \
                     quality and all profiles but lean need: allow proxy_on_response_headers"
                );
            });
        }
        if rollout.slow_after().is_some() && !self.is_complete {
            active.request_bodies.miss(|| {
                error!(
                    "rollout {name}: bodies of requests do not reach the filter, so a request with a body is never \
                     slow: allow proxy_on_request_body and proxy_on_request_trailers"
                );
            });
        }
    }

    /// Asks Envoy, in one cheap call where the class of the code is enough to know.
    fn query(&self, active: &Active) -> StreamEnd {
        let length = active.end_expression.and_then(calls::evaluate_to_length);
        let end = length.and_then(StreamEnd::from_expression_length);
        end.unwrap_or_else(|| StreamEnd {
            code: calls::int_property(b"response\0code").unwrap_or(0),
            flags: calls::int_property(b"response\0flags").unwrap_or(0),
            attempts: calls::int_property(b"upstream\0request_attempt_count").unwrap_or(0),
            ..StreamEnd::PLAIN
        })
    }

    pub fn ended(mut self, active: &Active) {
        let end = self.end(active);
        let streams = self.streams(active);
        if streams.is_some() || self.waiting.is_some() {
            let now_ns = self.now_ns();
            if let Some(streams) = streams {
                streams.responses(end.code_class()).increment();
                streams.request_duration_ms.record(self.elapsed_ms(now_ns));
                streams.in_flight.add(-1);
            }
            self.end_wait(now_ns, false);
        }
        if let (true, Some(colors)) = (end.is_retried(), self.state.colors.get()) {
            colors.of(self.origin.color).retried.increment();
        }
        if end.class() == StreamClass::ClientFault {
            self.state.take_back(&self.origin);
        } else if !self.is_overridden {
            let retries_count = || {
                let rollout = active.rollout(self.rollout);
                rollout.is_some_and(|(rollout, _)| rollout.counts_retries())
            };
            self.count(end.has_failed(end.is_retried() && retries_count()));
        }
    }

    fn count(&self, has_failed: bool) {
        let is_current = self.state.count_end(&self.origin, has_failed, self.is_slow);
        if let (true, true, Some(colors)) = (has_failed, is_current, self.state.colors.get()) {
            colors.of(self.origin.color).failures.increment();
        }
    }
}
