//! Envoy's metrics for one rollout, with their ids laid out so that to count is to pick a field.

use super::proxy_wasm::metric::{Counter, Gauge, Histogram};
use crate::analysis::guard::Cause;
use crate::analysis::sequential_guard::Evidence;
use crate::analysis::stream_end::CodeClass;
use crate::metrics::{self, ColorStats, Traffic};
use crate::policy::action::ShownRamp;
use crate::policy::decide::Reason;
use crate::policy::shared_store::HostStatus;
use crate::value::color::PerColor;
use crate::value::name::RolloutName;

/// The metrics that each color of a rollout has.
#[derive(Debug)]
pub struct ColorMetrics {
    requests: Requests,
    pub retried: Counter,
    pub failures: Counter,
}

/// What becomes of one color's streams.
#[derive(Debug)]
pub struct StreamMetrics {
    responses: Responses,
    pub request_duration_ms: Histogram,
    pub response_start_ms: Histogram,
    pub in_flight: Gauge,
}

/// The requests of one color by which a guard judges.
#[derive(Debug)]
pub struct GuardMetrics {
    /// Finished requests that count.
    pub finished: Counter,
    /// Requests that were slow, counted as soon as that is known.
    pub slow: Counter,
}

/// How much evidence the sequential guard has.
#[derive(Debug)]
pub struct EvidenceMetrics {
    errors: Gauge,
    slow: Gauge,
}

/// Where a ramp is.
#[derive(Debug)]
pub struct RampMetrics {
    step: Gauge,
    waiting: Gauge,
}

/// Rollbacks by their causes.
#[derive(Debug)]
pub struct TripMetrics {
    error_rate: Counter,
    error_rate_over_stable: Counter,
    slow_rate: Counter,
    slow_rate_over_stable: Counter,
    errors_sequential: Counter,
    slow_sequential: Counter,
    quality: Counter,
}

#[derive(Debug)]
struct Requests {
    sticky: Counter,
    generated: Counter,
    random: Counter,
    overridden: Counter,
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

/// Defines the gauges of the weights in force.
pub fn define_weights(rollout: &RolloutName) -> Result<PerColor<Gauge>, HostStatus> {
    PerColor::try_from_fn(|color| {
        let stats = ColorStats {
            rollout,
            color,
            traffic: Traffic::Users,
        };
        Gauge::define(&stats.weight_millipercent())
    })
}

// === impl ColorMetrics ===

impl ColorMetrics {
    pub fn define(stats: ColorStats<'_>) -> Result<Self, HostStatus> {
        let requests = |reason| Counter::define(&stats.requests_total(reason));
        Ok(Self {
            requests: Requests {
                sticky: requests(Reason::Sticky)?,
                generated: requests(Reason::Generated)?,
                random: requests(Reason::Random)?,
                overridden: requests(Reason::Override)?,
            },
            retried: Counter::define(&stats.retried_total())?,
            failures: Counter::define(&stats.failures_total())?,
        })
    }

    pub fn requests(&self, reason: Reason) -> Counter {
        match reason {
            Reason::Sticky => self.requests.sticky,
            Reason::Generated => self.requests.generated,
            Reason::Random => self.requests.random,
            Reason::Override => self.requests.overridden,
        }
    }
}

// === impl StreamMetrics ===

impl StreamMetrics {
    pub fn define(stats: ColorStats<'_>) -> Result<Self, HostStatus> {
        let responses = |class| Counter::define(&stats.responses_total(class));
        Ok(Self {
            responses: Responses {
                informational: responses(CodeClass::Informational)?,
                success: responses(CodeClass::Success)?,
                redirection: responses(CodeClass::Redirection)?,
                client_error: responses(CodeClass::ClientError)?,
                server_error: responses(CodeClass::ServerError)?,
                none: responses(CodeClass::None)?,
            },
            request_duration_ms: Histogram::define(&stats.request_duration_ms())?,
            response_start_ms: Histogram::define(&stats.response_start_ms())?,
            in_flight: Gauge::define(&stats.in_flight())?,
        })
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

// === impl GuardMetrics ===

impl GuardMetrics {
    /// Defines the metrics of both colors.
    pub fn define(rollout: &RolloutName) -> Result<PerColor<Self>, HostStatus> {
        PerColor::try_from_fn(|color| {
            let stats = ColorStats {
                rollout,
                color,
                traffic: Traffic::Users,
            };
            Ok(Self {
                finished: Counter::define(&stats.guard_finished_total())?,
                slow: Counter::define(&stats.guard_slow_total())?,
            })
        })
    }
}

// === impl EvidenceMetrics ===

impl EvidenceMetrics {
    pub fn define(rollout: &RolloutName) -> Result<Self, HostStatus> {
        let evidence = |cause| Gauge::define(&metrics::guard_evidence_percent(rollout, cause));
        Ok(Self {
            errors: evidence(Cause::ErrorsSequential)?,
            slow: evidence(Cause::SlowSequential)?,
        })
    }

    pub fn show(&self, evidence: Evidence) {
        self.errors.set(evidence.errors_percent);
        self.slow.set(evidence.slow_percent);
    }
}

// === impl RampMetrics ===

impl RampMetrics {
    /// Envoy's gauges have no sign: -1 is shown as 2^64 - 1.
    const BEFORE_START: u64 = u64::MAX;

    pub fn define(rollout: &RolloutName) -> Result<Self, HostStatus> {
        Ok(Self {
            step: Gauge::define(&metrics::ramp_step(rollout))?,
            waiting: Gauge::define(&metrics::ramp_waiting(rollout))?,
        })
    }

    pub fn show(&self, ramp: ShownRamp) {
        self.waiting.set(ramp.waits);
        self.show_step(ramp.step);
    }

    pub fn show_step(&self, step: Option<usize>) {
        let index = step.map(u64::try_from).and_then(Result::ok);
        self.step.set(index.unwrap_or(Self::BEFORE_START));
    }

    /// There is no ramp any more.
    pub fn retire(&self) {
        self.step.set(0_u32);
        self.waiting.set(false);
    }
}

// === impl TripMetrics ===

impl TripMetrics {
    pub fn define(rollout: &RolloutName) -> Result<Self, HostStatus> {
        let trips = |cause| Counter::define(&metrics::guard_trips_total(rollout, cause));
        Ok(Self {
            error_rate: trips(Cause::ErrorRate)?,
            error_rate_over_stable: trips(Cause::ErrorRateOverStable)?,
            slow_rate: trips(Cause::SlowRate)?,
            slow_rate_over_stable: trips(Cause::SlowRateOverStable)?,
            errors_sequential: trips(Cause::ErrorsSequential)?,
            slow_sequential: trips(Cause::SlowSequential)?,
            quality: trips(Cause::Quality)?,
        })
    }

    pub fn of(&self, cause: Cause) -> Counter {
        match cause {
            Cause::ErrorRate => self.error_rate,
            Cause::ErrorRateOverStable => self.error_rate_over_stable,
            Cause::SlowRate => self.slow_rate,
            Cause::SlowRateOverStable => self.slow_rate_over_stable,
            Cause::ErrorsSequential => self.errors_sequential,
            Cause::SlowSequential => self.slow_sequential,
            Cause::Quality => self.quality,
        }
    }
}
