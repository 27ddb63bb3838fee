//! A request that goes to blue or green, from the decision to the end of its stream.

use super::active::Active;
use super::calls;
use super::lane::Lane;
use super::metrics::ColorMetrics;
use super::state::{RolloutState, WaitingKey};
use crate::color::Color;
use crate::decide::{Decision, Reason};
use crate::new_cookie::NewId;
use crate::outcome::{CodeClass, StreamEnd, Verdict};
use crate::quality::Outcome;
use crate::rollout::Rollout;
use std::rc::Rc;

/// What must be known of the request later on: its headers can't be read any more then.
pub struct Decided {
    rollout: usize,
    color: Color,
    state: Rc<RolloutState>,
    started_ns: u64,
    new_id: Option<NewId>,
    is_grpc: bool,
    is_overridden: bool,
    waiting: Option<WaitingKey>,
    /// Whether it has counted as slow.
    is_slow: bool,
}

/// The response header by which an upstream tells how a prediction turned out.
const OUTCOME_HEADER: &str = "x-bluegreen-outcome";

// === impl Decided ===

impl Decided {
    /// Counts the decision on the request at hand, of the rollout of this index.
    pub fn new(
        decision: Decision,
        (index, rollout, lane): (usize, &Rollout, &Lane),
        started_ns: u64,
        is_grpc: bool,
    ) -> Self {
        let (color, state) = (decision.color, &lane.state);
        state.colors.of(color).requests(decision.reason).increment();
        state.colors.of(color).in_flight.add(1);
        if let (true, Some(denied)) = (decision.override_denied, state.override_denied.get()) {
            denied.increment();
        }
        let is_overridden = decision.reason == Reason::Override;
        let waits = rollout.slow_after_ms().filter(|_| !is_overridden);
        Self {
            rollout: index,
            color,
            state: Rc::clone(state),
            started_ns,
            new_id: decision.new_id,
            is_grpc,
            is_overridden,
            waiting: waits.map(|_| state.wait(color, started_ns)),
            is_slow: false,
        }
    }

    fn metrics(&self) -> &ColorMetrics {
        self.state.colors.of(self.color)
    }

    fn elapsed_ms(&self) -> u64 {
        calls::now_ns().saturating_sub(self.started_ns) / 1_000_000
    }

    pub fn response_started(&mut self, active: &Active) {
        let elapsed_ms = self.elapsed_ms();
        self.metrics().response_start_ms.record(elapsed_ms);
        if let Some(name) = &active.policy.color_header {
            let _ = calls::set_response_header(name.as_str(), self.color.as_str());
        }
        let Some((rollout, lane)) = active.rollout(self.rollout) else {
            return;
        };
        if let (Some(id), Some(cookie)) = (self.new_id, &rollout.new_cookie) {
            let _ = calls::add_response_header("set-cookie", &cookie.render(id));
        }
        let slow_after = rollout.slow_after_ms();
        self.end_wait(slow_after.is_some_and(|slow_after_ms| elapsed_ms > slow_after_ms));
        if lane.measures {
            self.take_outcome();
        }
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

    /// What Envoy knows of the stream, learned in one cheap call where it ended well.
    fn stream_end(&self, active: &Active) -> StreamEnd {
        let grpc_status = self
            .is_grpc
            .then(|| calls::int_property(b"response\0grpc_status"));
        let grpc_status = grpc_status.flatten();
        let length = active.end_expression.and_then(calls::evaluate_to_length);
        let end = length.and_then(StreamEnd::from_expression_length);
        let end = end.unwrap_or_else(|| StreamEnd {
            code: calls::int_property(b"response\0code").unwrap_or(0),
            flags: calls::int_property(b"response\0flags").unwrap_or(0),
            grpc_status: None,
        });
        StreamEnd { grpc_status, ..end }
    }

    pub fn ended(mut self, active: &Active) {
        self.end_wait(false);
        let end = self.stream_end(active);
        let (class, verdict) = (end.code_class(), end.verdict());
        let metrics = self.metrics();
        metrics.responses(class).increment();
        if verdict == Verdict::Failed && !self.is_overridden {
            metrics.failures.increment();
        }
        if let (false, Some(guard)) = (class == CodeClass::None, self.state.guard.get()) {
            let guard = guard.of(self.color);
            if verdict == Verdict::ClientLeft || self.is_overridden {
                guard.excluded.increment();
            } else if self.is_slow {
                guard.slow_finished.increment();
            }
        }
        metrics.request_duration_ms.record(self.elapsed_ms());
        metrics.in_flight.add(-1);
        self.state.note_news();
    }
}
