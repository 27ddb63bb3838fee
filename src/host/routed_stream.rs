//! A request that goes to blue or green, from the decision to the end of its stream.

use super::clock;
use super::grpc_call::GrpcCall;
use super::metrics::{ColorMetrics, StreamMetrics};
use super::proxy_wasm::calls;
use super::response_body::ResponseBody;
use super::rollout_runtime::RolloutRuntime;
use super::rollout_state::RolloutState;
use super::serving::Serving;
use super::store::HostStore;
use super::waiting::{self, Waiter};
use crate::analysis::answer_label::AnswerLabel;
use crate::analysis::guard::SlowAfter;
use crate::analysis::incident::Origin;
use crate::analysis::quality::Outcome;
use crate::analysis::stream_end::{StreamClass, StreamEnd};
use crate::analysis::waiting::WaitingKey;
use crate::assign::new_cookie::NewId;
use crate::metrics::Traffic;
use crate::policy::answers::{Answer, RequestId};
use crate::policy::decide::{Decision, Reason};
use crate::policy::feedback_scores::scores_in_header;
use crate::policy::rollout::Rollout;
use crate::request::headers::Headers;
use std::rc::Rc;

/// What must be known of the request later on: its headers can't be read any more then.
pub struct RoutedStream {
    pub(super) rollout: usize,
    pub(super) state: Rc<RolloutState>,
    pub(super) origin: Origin,
    /// 0 where nothing asks for it.
    started_ns: u64,
    new_id: Option<NewId>,
    grpc: Option<GrpcCall>,
    pub(super) role: StreamRole,
    is_overridden: bool,
    /// Its id, where its answer is to be compared with the other color's.
    compared: Option<RequestId>,
    is_complete: bool,
    /// Whether there is nothing more to wait for.
    pub(super) has_answer: bool,
    /// Where the rollout watches streams.
    pub(super) body: Option<Box<ResponseBody>>,
    pub(super) waiting: Option<WaitingKey>,
    /// Whether it has counted as slow.
    is_slow: bool,
}

/// What a request counts as.
#[derive(Clone, Copy, Debug)]
pub struct StreamRole {
    /// Whether it is the copy of another.
    pub is_copy: bool,
    /// Whether guard and gate look at it.
    pub is_judged: bool,
}

/// The response header in which an upstream reports how a prediction turned out.
const OUTCOME_HEADER: &str = "x-bluegreen-outcome";

/// The response header in which an upstream reports scores.
const SCORE_HEADER: &str = "x-bluegreen-score";

// === impl RoutedStream ===

impl RoutedStream {
    /// Counts the decision on the request at hand, of the rollout of this index. `is_grpc` says that it calls itself
    /// gRPC.
    pub fn new(
        serving: &Serving,
        (index, rollout, runtime): (usize, &Rollout, &RolloutRuntime),
        decision: Decision,
        role: StreamRole,
        started_ns: u64,
        is_grpc: bool,
    ) -> Self {
        let state = &runtime.state;
        if let (true, Some(denied)) = (decision.override_denied, state.override_denied.get()) {
            denied.increment();
        }
        let stream = Self {
            rollout: index,
            state: Rc::clone(state),
            origin: runtime.origin(&decision, role.is_judged),
            started_ns,
            new_id: decision.new_id,
            grpc: is_grpc.then(GrpcCall::default),
            role,
            is_overridden: decision.reason == Reason::Override,
            compared: None,
            is_complete: false,
            has_answer: false,
            body: rollout.stream.map(ResponseBody::new).map(Box::new),
            waiting: None,
            is_slow: false,
        };
        if let Some(color) = stream.color() {
            color.requests(decision.reason).increment();
        }
        if let (true, Some(shadow)) = (decision.is_copied, stream.state.shadow.get()) {
            shadow.copied.increment();
        }
        stream.state.start(&stream.origin);
        if let Some(streams) = stream.streams(serving) {
            streams.in_flight.add(1);
        }
        stream
    }

    /// Where the profile shows them.
    fn streams(&self, serving: &Serving) -> Option<&StreamMetrics> {
        if !serving.policy.profile.shows_streams() {
            return None;
        }
        let shown = if self.role.is_copy {
            &self.state.shadow.get()?.streams
        } else {
            self.state.streams.get()?
        };
        Some(shown.of(self.origin.color))
    }

    /// What counts it by its color.
    fn color(&self) -> Option<&ColorMetrics> {
        let colors = if self.role.is_copy {
            &self.state.shadow.get()?.colors
        } else {
            self.state.colors.get()?
        };
        Some(colors.of(self.origin.color))
    }

    /// Its answer is compared with the other color's, if there is one. Where Envoy gives it no id, it is not.
    pub fn await_label(&mut self, headers: &Headers<'_>, is_copied: bool) {
        if is_copied || self.role.is_copy {
            let id = headers.first(RequestId::HEADER).filter(|it| !it.is_empty());
            self.compared = id.map(|id| RequestId::new(id, self.origin.generation));
        }
    }

    /// The client has sent its whole request. From now on it waits for the upstream.
    pub fn request_completed(&mut self, rollout: &Rollout, runtime: &RolloutRuntime, now_ns: u64) {
        self.is_complete = true;
        if let (Some(slow_after_ns), false, false) = (
            runtime.slow_after_ns(rollout),
            !self.role.is_judged,
            self.has_answer,
        ) {
            let waiter = Waiter {
                state: Rc::clone(&self.state),
                origin: self.origin,
            };
            let key = waiting::begin(waiter, now_ns, slow_after_ns);
            if self.body.as_ref().is_some_and(|body| body.is_announced) {
                waiting::answer(&key);
            }
            self.waiting = Some(key);
        }
    }

    pub fn request_body(&mut self, serving: &Serving, is_last: bool) {
        serving.request_bodies.come();
        if let (true, false, Some((rollout, runtime))) =
            (is_last, self.is_complete, serving.rollout(self.rollout))
        {
            let is_timed = rollout.slow_after().is_some();
            let now_ns = if is_timed { clock::steady_ns() } else { 0 };
            self.request_completed(rollout, runtime, now_ns);
        }
    }

    pub fn response_started(&mut self, serving: &Serving, is_whole: bool) {
        serving.responses.come();
        if let Some(name) = &serving.policy.color_header {
            let _ = calls::set_response_header(name.as_str(), self.origin.color.as_str());
        }
        if let Some(call) = &mut self.grpc {
            call.response_started(is_whole);
        }
        if let Some(body) = &mut self.body {
            body.response_started(is_whole);
        }
        let Some((rollout, runtime)) = serving.rollout(self.rollout) else {
            return;
        };
        self.take_time(serving, rollout, is_whole);
        if let (Some(id), Some(cookie)) = (self.new_id, &rollout.new_cookie) {
            let _ = calls::add_response_header("set-cookie", &cookie.render(id));
        }
        if runtime.measures {
            self.take_outcome();
            if !rollout.scores().is_empty() {
                self.take_scores(rollout);
            }
        }
        if runtime.compares {
            self.take_label(serving);
        }
    }

    pub fn response_trailed(&mut self, serving: &Serving) {
        serving.response_trailers.come();
        self.take_end(serving);
        if let Some(call) = &mut self.grpc {
            call.response_trailed(serving);
        }
    }

    /// Takes the time to the response, where something asks for it.
    fn take_time(&mut self, serving: &Serving, rollout: &Rollout, is_whole: bool) {
        self.has_answer = is_whole || !self.awaits_first_chunk(serving);
        let streams = self.streams(serving);
        if streams.is_none() && self.waiting.is_none() {
            return;
        }
        let now_ns = self.now_ns();
        if let Some(streams) = streams {
            streams.response_start_ms.record(self.elapsed_ms(now_ns));
        }
        if self.has_answer {
            self.take_wait(rollout, now_ns);
        } else if let Some(key) = &self.waiting {
            waiting::answer(key);
        }
    }

    /// What the request waited for is there.
    pub(super) fn take_wait(&mut self, rollout: &Rollout, now_ns: u64) {
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
    pub(super) fn now_ns(&self) -> u64 {
        if self.waiting.is_some() {
            clock::steady_ns()
        } else {
            clock::about_steady_ns()
        }
    }

    pub(super) fn elapsed_ms(&self, now_ns: u64) -> u64 {
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

    /// Removes the outcome header from the response and counts it.
    fn take_outcome(&self) {
        let Some(value) = calls::take_response_header(OUTCOME_HEADER) else {
            return;
        };
        let traffic = if self.role.is_copy {
            Traffic::Shadow
        } else {
            Traffic::Users
        };
        if let (false, Some(kind)) = (self.is_overridden, Outcome::from_bytes(&value)) {
            let is_judged = self.role.is_judged;
            self.state
                .count_outcome(&self.origin, kind, traffic, is_judged);
        }
    }

    /// Takes the label of the answer out of the response, and compares it with the other color's.
    fn take_label(&self, serving: &Serving) {
        let Some(value) = calls::take_response_header(AnswerLabel::HEADER) else {
            return;
        };
        let (Some(request), Some(label)) = (self.compared, AnswerLabel::from_bytes(&value)) else {
            return;
        };
        let answer = Answer {
            request,
            is_canarys: self.role.is_copy,
            label,
        };
        if let Ok(Some(differs)) = answer.compare_or_store(&HostStore, &serving.plugin.keys) {
            self.state.count_compared(&self.origin, differs);
        }
    }

    /// Removes the scores header from the response and counts it.
    fn take_scores(&self, rollout: &Rollout) {
        let Some(value) = calls::take_response_header(SCORE_HEADER) else {
            return;
        };
        let scores = scores_in_header(&value, rollout.scores());
        if let (true, Some(scores)) = (self.role.is_judged, scores) {
            self.state.count_scores(&self.origin, rollout, &scores);
        }
    }

    /// How the stream ended. Envoy is not queried where it would have signaled another end than a plain one.
    fn end(&self, serving: &Serving) -> StreamEnd {
        let queried = match &serving.suspects {
            Some(suspects) => suspects.end_of_stream(|| serving.query_end()),
            None => Some(serving.query_end()),
        };
        if queried.as_ref().is_some_and(|end| end.is_plain()) {
            serving.miss_callbacks(self.rollout, self.is_complete);
        }
        let has_failed_body = self.body.as_ref().is_some_and(|body| body.has_failed());
        // What no signal came of may still be a client that left.
        let queried = queried.or_else(|| has_failed_body.then(|| serving.query_end()));
        let mut end = queried.unwrap_or(StreamEnd::PLAIN);
        end.has_failed_body = has_failed_body;
        // Where bodies do not reach the filter, Envoy's code tells.
        end.request_is_complete = self.is_complete || !serving.request_bodies.has_come();
        let call = self.grpc.as_ref();
        end.grpc_status = call.and_then(|call| call.status(&end, serving));
        if end.needs_response_bytes() {
            end.response_bytes = calls::int_property(b"response\0size").unwrap_or(0);
        }
        if end.needs_origin() {
            let details = calls::property(b"response\0code_details");
            end.is_from_upstream = details.as_deref() == Some(b"via_upstream");
        }
        end
    }

    pub fn ended(&mut self, serving: &Serving) {
        let end = self.end(serving);
        let streams = self.streams(serving);
        if streams.is_some() || self.waiting.is_some() {
            let now_ns = self.now_ns();
            if let Some(streams) = streams {
                streams.responses(end.code_class()).increment();
                streams.request_duration_ms.record(self.elapsed_ms(now_ns));
                streams.in_flight.add(-1);
            }
            self.end_wait(now_ns, false);
        }
        self.show_chunks();
        if let (true, Some(color)) = (end.is_retried(), self.color()) {
            color.retried.increment();
        }
        let is_clients_fault = end.class() == StreamClass::ClientFault;
        if self.role.is_copy && !is_clients_fault {
            self.state.count_copy(&self.origin);
        }
        if is_clients_fault {
            self.state.take_back(&self.origin);
        } else if !self.is_overridden {
            let retries_count = || {
                let rollout = serving.rollout(self.rollout);
                rollout.is_some_and(|(rollout, _)| rollout.counts_retries())
            };
            self.count(end.has_failed(end.is_retried() && retries_count()));
        }
    }

    fn count(&self, has_failed: bool) {
        let is_current = if self.role.is_judged {
            self.state.count_end(&self.origin, has_failed, self.is_slow)
        } else {
            self.state.is_current(&self.origin)
        };
        if let (true, true, Some(color)) = (has_failed, is_current, self.color()) {
            color.failures.increment();
        }
    }
}
