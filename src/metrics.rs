//! The names of all metrics, with their labels in them: the tag rules in `envoy/bootstrap.yaml` cut
//! the labels out again. Names come from the configuration alone, never from a request.

use crate::analysis::guard::Cause;
use crate::analysis::quality::Outcome;
use crate::analysis::stream_end::CodeClass;
use crate::policy::decide::Reason;
use crate::value::color::Color;
use crate::value::name::RolloutName;

/// Lower 32 bits of XXH64 of the configuration in force.
pub const CONFIG_FINGERPRINT: &str = "bluegreen.config_fingerprint";

/// Requests that no rollout matched.
pub const UNMATCHED_TOTAL: &str = "bluegreen.unmatched_total";

/// Streams that did not end with a plain success, as counted by Envoy's access log.
pub const SUSPECT_STREAMS_TOTAL: &str = "bluegreen.suspect_streams_total";

/// Workers that found a stream which that count had left out.
pub const SIGNAL_MISSED_TOTAL: &str = "bluegreen.signal_missed_total";

/// 1 while the last exchange with the fleet's store succeeded.
pub const FLEET_CONNECTED: &str = "bluegreen.fleet_connected";

/// Proxies seen within three intervals.
pub const FLEET_PROXIES: &str = "bluegreen.fleet_proxies";

/// Exchanges that failed, and keys that could not be read.
pub const FLEET_ERRORS_TOTAL: &str = "bluegreen.fleet_errors_total";

/// 0 watching, 1 too little to judge, 2 tripped.
pub fn guard_state(rollout: &RolloutName) -> String {
    format!("bluegreen.rollout.{}.guard_state", rollout.as_str())
}

/// The index of the step of a ramp that is in force.
pub fn ramp_step(rollout: &RolloutName) -> String {
    format!("bluegreen.rollout.{}.ramp_step", rollout.as_str())
}

/// 1 while time is no longer what a ramp waits for.
pub fn ramp_waiting(rollout: &RolloutName) -> String {
    format!("bluegreen.rollout.{}.ramp_waiting", rollout.as_str())
}

/// Rollbacks.
pub fn guard_trips_total(rollout: &RolloutName, cause: Cause) -> String {
    let (rollout, cause) = (rollout.as_str(), cause.as_str());
    format!("bluegreen.rollout.{rollout}.cause.{cause}.guard_trips_total")
}

/// The logarithm of the sequential guard's evidence as a share of the logarithm that rolls back, in percent.
pub fn guard_evidence_percent(rollout: &RolloutName, cause: Cause) -> String {
    let (rollout, cause) = (rollout.as_str(), cause.as_str());
    format!("bluegreen.rollout.{rollout}.cause.{cause}.guard_evidence_percent")
}

/// Overrides that were asked for without permission.
pub fn override_denied_total(rollout: &RolloutName) -> String {
    format!(
        "bluegreen.rollout.{}.override_denied_total",
        rollout.as_str()
    )
}

/// What the metrics of one rollout's color are called.
#[derive(Clone, Copy, Debug)]
pub struct ColorStats<'a> {
    /// The rollout.
    pub rollout: &'a RolloutName,
    /// The color.
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

    /// Requests that were sent upstream more than once.
    pub fn retried_total(self) -> String {
        self.metric("retried_total")
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

    /// Finished requests that the guard counts: not those with an override, nor those that the client
    /// did not wait for.
    pub fn guard_finished_total(self) -> String {
        self.metric("guard_finished_total")
    }

    /// Requests that the guard counted as slow, as soon as they were.
    pub fn guard_slow_total(self) -> String {
        self.metric("guard_slow_total")
    }

    /// Predictions whose outcome is known.
    pub fn quality_outcomes_total(self, outcome: Outcome) -> String {
        self.metric(&format!(
            "outcome.{}.quality_outcomes_total",
            outcome.as_str()
        ))
    }

    /// Precision, recall or F1 of the release in force and the ends of its interval, in parts per million.
    pub fn quality_figure(self, figure: &str) -> [String; 3] {
        ["", "_low", "_high"].map(|end| self.metric(&format!("quality_{figure}{end}_ppm")))
    }

    /// Of the release in force.
    pub fn quality_samples(self) -> String {
        self.metric("quality_samples")
    }

    fn metric(self, rest: &str) -> String {
        let (rollout, color) = (self.rollout.as_str(), self.color.as_str());
        format!("bluegreen.rollout.{rollout}.color.{color}.{rest}")
    }
}
