//! One request and its response, as Envoy sees them.

use super::calls;
use crate::host::active::Active;
use crate::host::phase::Phase;
use ::proxy_wasm::traits::{Context, HttpContext};
use ::proxy_wasm::types::Action;
use log::error;
use std::rc::Rc;

/// Envoy makes one for each stream.
pub struct Stream {
    id: u32,
    active: Option<Rc<Active>>,
    phase: Phase,
}

/// To allocate what is aligned more strictly takes several times as long.
const _: () = assert!(std::mem::align_of::<Stream>() <= 8);

// === impl Stream ===

impl Stream {
    pub fn new(id: u32, active: Option<Rc<Active>>) -> Self {
        Self {
            id,
            active,
            phase: Phase::Passing,
        }
    }

    /// What waited may have been decided on meanwhile.
    fn settle(&mut self) {
        let settled = match &self.phase {
            Phase::Held(held) => held.take_settled(),
            Phase::Feedback(feedback) => feedback.take_settled(),
            _ => None,
        };
        if let Some(phase) = settled {
            self.phase = phase;
        }
    }

    /// Takes a part of the request's body; trailers are the last.
    fn receive_body(&mut self, size: usize, is_last: bool) {
        self.settle();
        let Some(active) = &self.active else { return };
        match &mut self.phase {
            Phase::Routed(stream) => stream.request_body(&active.serving, is_last),
            Phase::Feedback(feedback) => {
                if let Some(phase) = active.receive_feedback_body(feedback, size, is_last) {
                    self.phase = phase;
                }
            }
            Phase::Held(held) => held.receive_body(is_last),
            Phase::Passing | Phase::Storing(_) | Phase::Answered => {}
        }
    }

    /// Holds back what the filter answers itself.
    fn action(&self) -> Action {
        match self.phase {
            Phase::Passing | Phase::Routed(_) => Action::Continue,
            Phase::Held(_) | Phase::Feedback(_) | Phase::Storing(_) | Phase::Answered => {
                Action::Pause
            }
        }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        let Some(active) = &self.active else {
            return Action::Continue;
        };
        match active.receive(self.id, end_of_stream) {
            Ok(phase) => self.phase = phase,
            Err(status) => {
                let _ = calls::remove_request_header(active.serving.policy.route_header.as_str());
                error!("a request passes undecided: {status}");
            }
        }
        self.action()
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.receive_body(size, end_of_stream);
        self.action()
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.receive_body(0, true);
        self.action()
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        self.settle();
        if let (Some(active), Phase::Routed(stream)) = (&self.active, &mut self.phase) {
            stream.response_started(&active.serving, end_of_stream);
        }
        if let (Some(active), Phase::Feedback(feedback)) = (&self.active, &self.phase)
            && let Some(phase) = active.feedback_passed_on(feedback)
        {
            self.phase = phase;
            return Action::Pause;
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if let (Some(active), Phase::Routed(stream)) = (&self.active, &mut self.phase) {
            stream.response_body(&active.serving, size, end_of_stream);
        }
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        if let (Some(active), Phase::Routed(stream)) = (&self.active, &mut self.phase) {
            stream.response_trailed(&active.serving);
        }
        Action::Continue
    }
}

impl Drop for Stream {
    /// Envoy lets go of the stream: it has written its access log, and still knows how the stream ended.
    /// This comes for every stream, like `on_log`, and without a call of its own. The SDK's list of streams is
    /// borrowed meanwhile: no call is made here by which Envoy would call back, but to allocate.
    fn drop(&mut self) {
        self.settle();
        if let (Some(active), Phase::Routed(stream)) = (&self.active, &mut self.phase) {
            stream.ended(&active.serving);
        }
    }
}
