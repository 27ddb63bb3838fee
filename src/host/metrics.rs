//! Envoy's metrics for one rollout, with their ids laid out so that to count is to pick a field.

use super::calls::{self, Refused};
use crate::color::{Color, PerColor};
use crate::decide::Reason;
use crate::outcome::CodeClass;
use crate::rollout::RolloutName;
use crate::stats::ColorStats;
use proxy_wasm::types::MetricType;

/// Only ever goes up.
#[derive(Clone, Copy, Debug)]
pub struct Counter(u32);

/// Goes up and down.
#[derive(Clone, Copy, Debug)]
pub struct Gauge(u32);

/// Counts samples in buckets.
#[derive(Clone, Copy, Debug)]
pub struct Histogram(u32);

/// All metrics of one colour of a rollout.
#[derive(Debug)]
pub struct ColorMetrics {
    requests: Requests,
    responses: Responses,
    pub failures: Counter,
    pub request_duration_ms: Histogram,
    pub response_start_ms: Histogram,
    pub in_flight: Gauge,
    pub weight_millipercent: Gauge,
}

#[derive(Debug)]
struct Requests {
    sticky: Counter,
    generated: Counter,
    random: Counter,
}

#[derive(Debug)]
struct Responses {
    informational: Counter,
    success: Counter,
    redirection: Counter,
    client_error: Counter,
    server_error: Counter,
    none: Counter,
}

// === impl Counter ===

impl Counter {
    pub fn define(name: &str) -> Result<Self, Refused> {
        calls::define_metric(MetricType::Counter, name).map(Self)
    }

    pub fn increment(self) {
        calls::increment_metric(self.0, 1);
    }
}

// === impl Gauge ===

impl Gauge {
    pub fn define(name: &str) -> Result<Self, Refused> {
        calls::define_metric(MetricType::Gauge, name).map(Self)
    }

    pub fn add(self, step: i64) {
        calls::increment_metric(self.0, step);
    }

    pub fn set(self, value: u32) {
        calls::record_metric(self.0, u64::from(value));
    }
}

// === impl Histogram ===

impl Histogram {
    pub fn define(name: &str) -> Result<Self, Refused> {
        calls::define_metric(MetricType::Histogram, name).map(Self)
    }

    pub fn record(self, value: u64) {
        calls::record_metric(self.0, value);
    }
}

// === impl ColorMetrics ===

impl ColorMetrics {
    /// Defines the metrics of both colours.
    pub fn define(rollout: &RolloutName) -> Result<PerColor<Self>, Refused> {
        PerColor::try_from_fn(|color| Self::define_color(rollout, color))
    }

    fn define_color(rollout: &RolloutName, color: Color) -> Result<Self, Refused> {
        let stats = ColorStats { rollout, color };
        let requests = |reason| Counter::define(&stats.requests_total(reason));
        let responses = |class| Counter::define(&stats.responses_total(class));
        Ok(Self {
            requests: Requests {
                sticky: requests(Reason::Sticky)?,
                generated: requests(Reason::Generated)?,
                random: requests(Reason::Random)?,
            },
            responses: Responses {
                informational: responses(CodeClass::Informational)?,
                success: responses(CodeClass::Success)?,
                redirection: responses(CodeClass::Redirection)?,
                client_error: responses(CodeClass::ClientError)?,
                server_error: responses(CodeClass::ServerError)?,
                none: responses(CodeClass::None)?,
            },
            failures: Counter::define(&stats.failures_total())?,
            request_duration_ms: Histogram::define(&stats.request_duration_ms())?,
            response_start_ms: Histogram::define(&stats.response_start_ms())?,
            in_flight: Gauge::define(&stats.in_flight())?,
            weight_millipercent: Gauge::define(&stats.weight_millipercent())?,
        })
    }

    pub fn requests(&self, reason: Reason) -> Counter {
        match reason {
            Reason::Sticky => self.requests.sticky,
            Reason::Generated => self.requests.generated,
            Reason::Random => self.requests.random,
        }
    }

    pub fn responses(&self, class: CodeClass) -> Counter {
        match class {
            CodeClass::Informational => self.responses.informational,
            CodeClass::Success => self.responses.success,
            CodeClass::Redirection => self.responses.redirection,
            CodeClass::ClientError => self.responses.client_error,
            CodeClass::ServerError => self.responses.server_error,
            CodeClass::None => self.responses.none,
        }
    }
}
