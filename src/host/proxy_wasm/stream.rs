//! One request and its response, as Envoy sees them.

use super::calls;
use crate::host::active::Active;
use crate::host::phase::Phase;
use crate::policy::feedback::Report;
use crate::policy::feedback_endpoint::{FeedbackEndpoint, FeedbackError};
use ::proxy_wasm::traits::{Context, HttpContext};
use ::proxy_wasm::types::Action;
use log::error;
use std::rc::Rc;

/// Envoy makes one for each stream.
pub struct Stream {
    active: Option<Rc<Active>>,
    phase: Phase,
}

// === impl Stream ===

impl Stream {
    pub fn new(active: Option<Rc<Active>>) -> Self {
        Self {
            active,
            phase: Phase::Passing,
        }
    }

    /// Takes the feedback whose body is complete, and answers.
    fn take_feedback(&mut self) {
        self.phase = Phase::Passing;
        if let Some(active) = &self.active {
            let body = calls::request_body().unwrap_or_default();
            let taken = Report::read(&body, &active.policy);
            answer(taken.map(|reports| active.count(reports)));
        }
    }
}

/// Answers feedback: 204 where it is taken.
fn answer(taken: Result<(), FeedbackError>) {
    let json = ("content-type", "application/json");
    let sent = match taken {
        Ok(()) => calls::respond(204, &[], &[]),
        Err(refusal) => {
            let headers: &[_] = match refusal {
                FeedbackError::Method => &[json, ("allow", "POST")],
                _ => &[json],
            };
            calls::respond(refusal.status(), headers, &refusal.to_json())
        }
    };
    if let Err(status) = sent {
        error!("feedback is not answered: {status}");
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        let Some(active) = &self.active else {
            return Action::Continue;
        };
        match active.receive(end_of_stream) {
            Ok(Ok(phase)) => self.phase = phase,
            Ok(Err(refusal)) => {
                answer(Err(refusal));
                return Action::Pause;
            }
            Err(status) => {
                let _ = calls::remove_request_header(active.policy.route_header.as_str());
                error!("a request passes undecided: {status}");
            }
        }
        if !matches!(self.phase, Phase::Feedback) {
            return Action::Continue;
        }
        if end_of_stream {
            self.take_feedback();
        }
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if let (Some(active), Phase::Routed(stream)) = (&self.active, &mut self.phase) {
            stream.request_body(active, end_of_stream);
        }
        if !matches!(self.phase, Phase::Feedback) {
            return Action::Continue;
        }
        if size > FeedbackEndpoint::MAX_BYTES {
            self.phase = Phase::Passing;
            answer(Err(FeedbackError::TooLarge));
        } else if end_of_stream {
            self.take_feedback();
        }
        Action::Pause
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        if let (Some(active), Phase::Routed(stream)) = (&self.active, &mut self.phase) {
            stream.request_body(active, true);
        }
        if !matches!(self.phase, Phase::Feedback) {
            return Action::Continue;
        }
        self.take_feedback();
        Action::Pause
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        if let (Some(active), Phase::Routed(stream)) = (&self.active, &mut self.phase) {
            stream.response_started(active, end_of_stream);
        }
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        if let (Some(active), Phase::Routed(stream)) = (&self.active, &mut self.phase) {
            stream.response_trailed(active);
        }
        Action::Continue
    }
}

impl Drop for Stream {
    /// Envoy lets go of the stream: it has written its access log, and still knows how the stream ended.
    /// This comes for every stream, like `on_log`, and without a call of its own. The SDK's list of streams is
    /// borrowed meanwhile: no call is made here by which Envoy would call back, but to allocate.
    fn drop(&mut self) {
        let phase = std::mem::replace(&mut self.phase, Phase::Passing);
        if let (Some(active), Phase::Routed(stream)) = (&self.active, phase) {
            stream.ended(active);
        }
    }
}
