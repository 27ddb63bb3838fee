//! A request that goes to blue or green, from the decision to the end of its stream.

use super::active::Active;
use super::metrics::StreamMetrics;
use super::proxy_wasm::calls;
use super::rollout_runtime::RolloutRuntime;
use super::rollout_state::{RolloutState, WaitingKey};
use crate::analysis::grpc::GrpcStatus;
use crate::analysis::quality::Outcome;
use crate::analysis::stream_end::{StreamClass, StreamEnd};
use crate::assign::new_cookie::NewId;
use crate::policy::decide::{Decision, Reason};
use crate::policy::rollout::Rollout;
use crate::value::color::Color;
use log::error;
use std::rc::Rc;

/// What must be known of the request later on: its headers can't be read any more then.
pub struct RoutedStream {
    rollout: usize,
    color: Color,
    state: Rc<RolloutState>,
    /// 0 where nothing asks for it.
    started_ns: u64,
    new_id: Option<NewId>,
    is_grpc: bool,
    grpc_status: Option<GrpcStatus>,
    is_overridden: bool,
    waiting: Option<WaitingKey>,
    /// Whether it has counted as slow.
    is_slow: bool,
}

/// The response header by which an upstream tells how a prediction turned out.
const OUTCOME_HEADER: &str = "x-bluegreen-outcome";

// === impl RoutedStream ===

impl RoutedStream {
    /// Counts the decision on the request at hand, of the rollout of this index.
    pub fn new(
        active: &Active,
        (index, rollout, lane): (usize, &Rollout, &RolloutRuntime),
        decision: Decision,
        started_ns: u64,
        is_grpc: bool,
    ) -> Self {
        let (color, state) = (decision.color, &lane.state);
        state.colors.of(color).requests(decision.reason).increment();
        if let (true, Some(denied)) = (decision.override_denied, state.override_denied.get()) {
            denied.increment();
        }
        let is_overridden = decision.reason == Reason::Override;
        let waits = rollout.slow_after_ms().filter(|_| !is_overridden);
        let decided = Self {
            rollout: index,
            color,
            state: Rc::clone(state),
            started_ns,
            new_id: decision.new_id,
            is_grpc,
            grpc_status: None,
            is_overridden,
            waiting: waits.map(|_| state.wait(color, started_ns)),
            is_slow: false,
        };
        if let Some(streams) = decided.streams(active) {
            streams.in_flight.add(1);
        }
        decided
    }

    /// Where the profile shows them.
    fn streams(&self, active: &Active) -> Option<&StreamMetrics> {
        let streams = self.state.streams.get();
        let shown = streams.filter(|_| active.policy.profile.shows_streams())?;
        Some(shown.of(self.color))
    }

    fn elapsed_ms(&self) -> u64 {
        calls::now_ns().saturating_sub(self.started_ns) / 1_000_000
    }

    pub fn response_started(&mut self, active: &Active) {
        active.responses.come();
        if let Some(name) = &active.policy.color_header {
            let _ = calls::set_response_header(name.as_str(), self.color.as_str());
        }
        if self.is_grpc {
            let status = calls::response_header(GrpcStatus::HEADER);
            self.grpc_status = status.map(|it| GrpcStatus::parse(&it));
        }
        let Some((rollout, lane)) = active.rollout(self.rollout) else {
            return;
        };
        self.take_time(active, rollout);
        if let (Some(id), Some(cookie)) = (self.new_id, &rollout.new_cookie) {
            let _ = calls::add_response_header("set-cookie", &cookie.render(id));
        }
        if lane.measures {
            self.take_outcome();
        }
    }

    pub fn response_trailed(&mut self, active: &Active) {
        active.response_trailers.come();
        if self.is_grpc
            && let Some(status) = calls::response_trailer(GrpcStatus::HEADER)
        {
            self.grpc_status = Some(GrpcStatus::parse(&status));
        }
    }

    /// Takes the time to the response, where something asks for it.
    fn take_time(&mut self, active: &Active, rollout: &Rollout) {
        let streams = self.streams(active);
        if streams.is_none() && self.waiting.is_none() {
            return;
        }
        let elapsed_ms = self.elapsed_ms();
        if let Some(streams) = streams {
            streams.response_start_ms.record(elapsed_ms);
        }
        let slow_after = rollout.slow_after_ms();
        self.end_wait(slow_after.is_some_and(|slow_after_ms| elapsed_ms > slow_after_ms));
    }

    /// The request waits no longer. Where it is slow, it counts so now, unless it has already.
    fn end_wait(&mut self, is_slow: bool) {
        if let Some(key) = self.waiting.take() {
            let has_counted = self.state.end_wait(key);
            self.is_slow = is_slow || has_counted;
            if let (true, false, Some(guard)) = (is_slow, has_counted, self.state.guard.get()) {
                guard.of(self.color).slow.increment();
            }
        }
    }

    /// Takes the outcome that the upstream tells out of the response.
    fn take_outcome(&self) {
        let Some(value) = calls::response_header(OUTCOME_HEADER) else {
            return;
        };
        let _ = calls::remove_response_header(OUTCOME_HEADER);
        if let (false, Some(kind), Some(quality)) = (
            self.is_overridden,
            Outcome::from_bytes(&value),
            self.state.quality.get(),
        ) {
            quality.of(self.color).outcomes(kind).increment();
            self.state.note_news();
        }
    }

    /// How the stream ended. Envoy is not asked where it would have signalled another end than a plain one.
    fn end(&self, active: &Active) -> StreamEnd {
        let asked = match &active.signal {
            Some(signal) => signal.end_of_stream(|| self.ask(active)),
            None => Some(self.ask(active)),
        };
        if asked.is_some_and(StreamEnd::is_plain) {
            self.miss_response(active);
        }
        let end = asked.unwrap_or(StreamEnd::PLAIN);
        let grpc_status = self.is_grpc.then(|| self.grpc_status_of(end, active));
        StreamEnd {
            grpc_status: grpc_status.flatten(),
            ..end
        }
    }

    /// A good response was sent, and should have come this way where something is to be done with it.
    fn miss_response(&self, active: &Active) {
        if let Some((rollout, _)) = active.rollout(self.rollout)
            && active.policy.needs_responses(rollout)
        {
            active.responses.miss(|| {
                error!(
                    "rollout {}: responses do not reach the filter, which color_header, new_cookie, slow_after, \
                     quality and all profiles but lean need: allow proxy_on_response_headers",
                    rollout.name.as_str(),
                );
            });
        }
    }

    /// The status of a gRPC call. One that has none is judged by its code, if statuses would be seen.
    fn grpc_status_of(&self, end: StreamEnd, active: &Active) -> Option<GrpcStatus> {
        let places = [&active.responses, &active.response_trailers];
        let unseen = places.into_iter().find(|place| !place.has_come());
        if let (None, Some(unseen), true) = (self.grpc_status, unseen, end.is_plain()) {
            unseen.miss(|| {
                error!(
                    "gRPC statuses do not reach the filter, so calls are judged by HTTP alone: allow \
                     proxy_on_response_headers and proxy_on_response_trailers"
                );
            });
            return None;
        }
        Some(self.grpc_status.unwrap_or(GrpcStatus::of_code(end.code)))
    }

    /// Asks Envoy, in one cheap call where the class of the code is enough to know.
    fn ask(&self, active: &Active) -> StreamEnd {
        let goes_by_code = self.is_grpc && self.grpc_status.is_none();
        let expression = active.end_expression.filter(|_| !goes_by_code);
        let length = expression.and_then(calls::evaluate_to_length);
        let end = length.and_then(StreamEnd::from_expression_length);
        end.unwrap_or_else(|| StreamEnd {
            code: calls::int_property(b"response\0code").unwrap_or(0),
            flags: calls::int_property(b"response\0flags").unwrap_or(0),
            grpc_status: None,
        })
    }

    pub fn ended(mut self, active: &Active) {
        self.end_wait(false);
        let end = self.end(active);
        if let Some(streams) = self.streams(active) {
            streams.responses(end.code_class()).increment();
            streams.request_duration_ms.record(self.elapsed_ms());
            streams.in_flight.add(-1);
        }
        let verdict = end.verdict();
        if verdict != StreamClass::ClientLeft && !self.is_overridden {
            self.count_for_guard(verdict);
        }
        self.state.note_news();
    }

    fn count_for_guard(&self, verdict: StreamClass) {
        if let Some(guard) = self.state.guard.get() {
            let guard = guard.of(self.color);
            guard.finished.increment();
            if self.is_slow {
                guard.slow_finished.increment();
            }
        }
        if verdict == StreamClass::Failed {
            self.state.colors.of(self.color).failures.increment();
        }
    }
}
