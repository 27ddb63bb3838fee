//! One request and its response.

use super::calls::{self, Refused};
use super::metrics::ColorMetrics;
use super::root::Active;
use super::vm;
use crate::color::{Color, PerColor};
use crate::cookie::NewId;
use crate::headers::Headers;
use crate::key::Request;
use crate::outcome::{StreamEnd, Verdict};
use log::error;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use std::rc::Rc;

/// Envoy makes one for each stream.
pub struct Stream {
    active: Option<Rc<Active>>,
    decided: Option<Decided>,
}

/// What must be known of the request later on: its headers can't be read any more then.
struct Decided {
    rollout: usize,
    color: Color,
    metrics: Rc<PerColor<ColorMetrics>>,
    started_ns: u64,
    new_id: Option<NewId>,
    is_grpc: bool,
}

// === impl Stream ===

impl Stream {
    pub fn new(active: Option<Rc<Active>>) -> Self {
        Self {
            active,
            decided: None,
        }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if let Some(active) = &self.active {
            self.decided = active.decide().unwrap_or_else(|status| {
                error!("a request passes undecided: Envoy refuses a call (status {status})");
                None
            });
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if let (Some(active), Some(decided)) = (&self.active, &self.decided) {
            decided.response_started(active);
        }
        Action::Continue
    }

    fn on_log(&mut self) {
        if let Some(decided) = self.decided.take() {
            decided.ended();
        }
    }
}

// === impl Active ===

impl Active {
    /// Decides the request at hand and routes it.
    fn decide(&self) -> Result<Option<Decided>, Refused> {
        let block = calls::request_headers()?;
        let headers = Headers::new(&block);
        let found = self.policy.find(&headers);
        let Some((index, (rollout, metrics))) =
            found.and_then(|index| Some((index, self.rollout(index)?)))
        else {
            self.pass_on(&headers)?;
            return Ok(None);
        };
        let request = Request {
            headers,
            property: &calls::property,
        };
        let started_ns = calls::now_ns();
        let decision = vm::with_rng(|rng| rollout.decide(&request, rollout.weights, rng));
        let color = decision.color;
        let cluster = rollout.clusters.of(color).as_str();
        calls::set_request_header(self.policy.route_header.as_str(), cluster)?;
        if let Some(name) = &self.policy.color_header {
            calls::set_request_header(name.as_str(), color.as_str())?;
        }
        metrics.of(color).requests(decision.reason).increment();
        metrics.of(color).in_flight.add(1);
        Ok(Some(Decided {
            rollout: index,
            color,
            metrics: Rc::clone(metrics),
            started_ns,
            new_id: decision.new_id,
            is_grpc: headers.is_grpc(),
        }))
    }

    /// Lets a request through that belongs to no rollout. The routing header is never the client's.
    fn pass_on(&self, headers: &Headers<'_>) -> Result<(), Refused> {
        self.general.unmatched.increment();
        let route_header = self.policy.route_header.as_str();
        if headers.first(route_header).is_some() {
            calls::remove_request_header(route_header)?;
        }
        Ok(())
    }
}

// === impl Decided ===

impl Decided {
    fn metrics(&self) -> &ColorMetrics {
        self.metrics.of(self.color)
    }

    fn elapsed_ms(&self) -> u64 {
        calls::now_ns().saturating_sub(self.started_ns) / 1_000_000
    }

    fn response_started(&self, active: &Active) {
        self.metrics().response_start_ms.record(self.elapsed_ms());
        if let Some(name) = &active.policy.color_header {
            let _ = calls::set_response_header(name.as_str(), self.color.as_str());
        }
        if let Some(id) = self.new_id
            && let Some((rollout, _)) = active.rollout(self.rollout)
            && let Some(cookie) = &rollout.new_cookie
        {
            let _ = calls::add_response_header("set-cookie", &cookie.render(id));
        }
    }

    fn ended(self) {
        let grpc_status = self
            .is_grpc
            .then(|| calls::int_property(b"response\0grpc_status"));
        let end = StreamEnd {
            code: calls::int_property(b"response\0code").unwrap_or(0),
            flags: calls::int_property(b"response\0flags").unwrap_or(0),
            grpc_status: grpc_status.flatten(),
        };
        let metrics = self.metrics();
        metrics.responses(end.code_class()).increment();
        if end.verdict() == Verdict::Failed {
            metrics.failures.increment();
        }
        metrics.request_duration_ms.record(self.elapsed_ms());
        metrics.in_flight.add(-1);
    }
}
