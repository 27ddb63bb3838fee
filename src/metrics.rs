//! The names of all metrics, with their labels in them: the tag rules in `envoy/bootstrap.yaml` cut
//! the labels out again. Names come from the configuration alone, never from a request.

use crate::analysis::guard::Cause;
use crate::analysis::quality::Outcome;
use crate::analysis::stream_end::CodeClass;
use crate::policy::decide::Reason;
use crate::value::color::Color;
use crate::value::name::{RolloutName, ScoreName};

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

/// 0 undecided, 1 kept, 2 broken.
pub fn quality_verdict(rollout: &RolloutName, limit: &str) -> String {
    let rollout = rollout.as_str();
    format!("bluegreen.rollout.{rollout}.quality_limit.{limit}.quality_verdict")
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
    /// Whose requests.
    pub traffic: Traffic,
}

/// Whose requests metrics are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Those of users.
    Users,
    /// Copies of them.
    Shadow,
}

/// Requests that Envoy was to copy.
pub fn shadow_copied_total(rollout: &RolloutName) -> String {
    format!("bluegreen.rollout.{}.shadow_copied_total", rollout.as_str())
}

/// Requests whose two answers were compared.
pub fn shadow_compared_total(rollout: &RolloutName) -> String {
    format!(
        "bluegreen.rollout.{}.shadow_compared_total",
        rollout.as_str()
    )
}

/// Those of them whose answers differ.
pub fn shadow_disagreements_total(rollout: &RolloutName) -> String {
    format!(
        "bluegreen.rollout.{}.shadow_disagreements_total",
        rollout.as_str()
    )
}

/// The share of those compared and the ends of its interval, in parts per million.
pub fn shadow_disagreement(rollout: &RolloutName) -> [String; 3] {
    let rollout = rollout.as_str();
    ["", "_low", "_high"]
        .map(|end| format!("bluegreen.rollout.{rollout}.shadow_disagreement{end}_ppm"))
}

// === impl Traffic ===

impl Traffic {
    /// How names begin.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Users => "",
            Self::Shadow => "shadow_",
        }
    }
}

// === impl ColorStats ===

impl ColorStats<'_> {
    /// Requests, counted at the decision.
    pub fn requests_total(self, reason: Reason) -> String {
        self.labeled("reason", reason.as_str(), "requests_total")
    }

    /// Streams, counted at their end.
    pub fn responses_total(self, class: CodeClass) -> String {
        self.labeled("code_class", class.as_str(), "responses_total")
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

    /// From the request's headers to the first byte of the response's body.
    pub fn first_chunk_ms(self) -> String {
        self.metric("first_chunk_ms")
    }

    /// Pieces of responses' bodies.
    pub fn chunks_total(self) -> String {
        self.metric("chunks_total")
    }

    /// From the first byte of the response's body to the end of the stream.
    pub fn stream_ms(self) -> String {
        self.metric("stream_ms")
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
        self.labeled("outcome", outcome.as_str(), "quality_outcomes_total")
    }

    /// Precision, recall or F1 of the release in force and the ends of its interval, in parts per million.
    pub fn quality_figure(self, figure: &str) -> [String; 3] {
        ["", "_low", "_high"].map(|end| self.metric(&format!("quality_{figure}{end}_ppm")))
    }

    /// Of the release in force.
    pub fn quality_samples(self) -> String {
        self.metric("quality_samples")
    }

    /// How many scores of the release in force there are, their mean and the ends of its interval in millionths.
    pub fn score_figures(self, score: &ScoreName) -> [String; 4] {
        let score = score.as_str();
        ["samples", "mean_micro", "low_micro", "high_micro"]
            .map(|figure| self.metric(&format!("score.{score}.score_{figure}")))
    }

    fn metric(self, name: &str) -> String {
        let (rollout, color) = (self.rollout.as_str(), self.color.as_str());
        let prefix = self.traffic.prefix();
        format!("bluegreen.rollout.{rollout}.color.{color}.{prefix}{name}")
    }

    fn labeled(self, label: &str, value: &str, name: &str) -> String {
        let (rollout, color) = (self.rollout.as_str(), self.color.as_str());
        let prefix = self.traffic.prefix();
        format!("bluegreen.rollout.{rollout}.color.{color}.{label}.{value}.{prefix}{name}")
    }
}
