//! The names of all metrics, with their labels in them: the tag rules in `envoy/bootstrap.yaml` cut
//! the labels out again. Names come from the configuration alone, never from a request.

use crate::color::Color;
use crate::decide::Reason;
use crate::outcome::CodeClass;
use crate::rollout::RolloutName;

/// Lower 32 bits of XXH64 of the configuration in force.
pub const CONFIG_FINGERPRINT: &str = "bluegreen.config_fingerprint";

/// Requests that no rollout matched.
pub const UNMATCHED_TOTAL: &str = "bluegreen.unmatched_total";

/// What the metrics of one rollout's colour are called.
#[derive(Clone, Copy, Debug)]
pub struct ColorStats<'a> {
    /// The rollout.
    pub rollout: &'a RolloutName,
    /// The colour.
    pub color: Color,
}

// === impl ColorStats ===

impl ColorStats<'_> {
    /// Requests, counted at the decision.
    pub fn requests_total(self, reason: Reason) -> String {
        self.metric(&format!("reason.{}.requests_total", reason.as_str()))
    }

    /// Streams, counted at their end.
    pub fn responses_total(self, class: CodeClass) -> String {
        self.metric(&format!("code_class.{}.responses_total", class.as_str()))
    }

    /// Streams that failed.
    pub fn failures_total(self) -> String {
        self.metric("failures_total")
    }

    /// From the request's headers to the end of the stream.
    pub fn request_duration_ms(self) -> String {
        self.metric("request_duration_ms")
    }

    /// From the request's headers to the response's headers.
    pub fn response_start_ms(self) -> String {
        self.metric("response_start_ms")
    }

    /// Streams that are not at their end.
    pub fn in_flight(self) -> String {
        self.metric("in_flight")
    }

    /// The weight in force.
    pub fn weight_millipercent(self) -> String {
        self.metric("weight_millipercent")
    }

    fn metric(self, rest: &str) -> String {
        let (rollout, color) = (self.rollout.as_str(), self.color.as_str());
        format!("bluegreen.rollout.{rollout}.color.{color}.{rest}")
    }
}
