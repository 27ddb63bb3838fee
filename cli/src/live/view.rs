//! What is shown: plain data, for a terminal, a browser or a program.

use crate::live::event::Event;
use crate::live::scores::{ScoreLimitView, ScoreView};
use bluegreen::{PerColor, Percent};
use serde::Serialize;
use std::collections::BTreeMap;

/// All there is to show.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveView {
    /// Of when it is, in milliseconds since 1970.
    pub at_ms: u64,
    /// Whether Envoys have different configurations in force.
    pub differ: bool,
    /// Each Envoy, in the order in which they were named.
    pub envoys: Vec<EnvoyView>,
    /// What happened, the oldest first.
    pub events: Vec<Event>,
}

/// One Envoy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EnvoyView {
    /// Its admin address.
    pub admin: String,
    /// Whether it answers.
    pub link: Link,
    /// Why it does not answer.
    pub why: Option<String>,
    /// The version of the configuration in force.
    pub version: Option<String>,
    /// The fingerprint of the configuration in force; none without the filter.
    pub fingerprint: Option<u32>,
    /// Whether it has another configuration in force than most.
    pub differs: bool,
    /// How many configurations it has rejected since it was started.
    pub rejected: u64,
    /// Its rollouts, in the order of the configuration. Of an Envoy that is lost, as they were last.
    pub rollouts: Vec<RolloutView>,
}

/// Whether an Envoy answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// It has not been asked yet.
    #[default]
    Unknown,
    /// It answers.
    Up,
    /// It does not.
    Lost,
}

/// One rollout in one Envoy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RolloutView {
    /// Its name.
    pub name: String,
    /// How far it is, as `bluegreen status` says it.
    pub status: &'static str,
    /// The same in one character, as Argo Rollouts has it.
    pub symbol: &'static str,
    /// The stable color.
    pub stable: &'static str,
    /// The other one.
    pub canary: &'static str,
    /// Why it was rolled back, where this Envoy shows it.
    pub cause: Option<String>,
    /// The index of the ramp's step in force; none before the start.
    pub step: Option<usize>,
    /// How many steps the ramp has; none without a ramp.
    pub steps: Option<usize>,
    /// The step that comes next.
    pub next: Option<NextStep>,
    /// What the step in force waits for but time: `pause`, `requests`, `quality`.
    pub waits_for: Vec<&'static str>,
    /// How each color does.
    pub colors: PerColor<ColorView>,
    /// What would roll back.
    pub guard: Option<GuardView>,
    /// How good the predictions must be.
    pub quality: Option<QualityView>,
    /// What becomes of copies of requests, where there are any.
    pub shadow: Option<ShadowView>,
}

/// The step that comes next, if nothing else is in its way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NextStep {
    /// The canary's weight in it.
    pub weight_percent: f64,
    /// It begins in so many milliseconds at the earliest. When a step began that waits for evidence is known only from
    /// having seen it.
    pub earliest_in_ms: u64,
    /// Its time has come in so many milliseconds at the latest; none where only an operator or a new configuration lets it
    /// begin.
    pub latest_in_ms: Option<u64>,
    /// How many canary requests have to finish before; none where it asks for none.
    pub min_requests: Option<u64>,
    /// How many have finished since the step in force was first seen.
    pub requests_seen: u64,
}

/// How one color of a rollout does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColorView {
    /// What it runs, where the configuration says so.
    pub release: Option<String>,
    /// The weight in force.
    pub weight_percent: f64,
    /// Its share of the requests that had no override, in the last 10 s; none without any.
    pub share_percent: Option<f64>,
    /// Requests a second, in the last 10 s.
    pub requests_per_second: Option<f64>,
    /// Failed requests out of the finished ones, in the guard's window.
    pub error_percent: Option<f64>,
    /// Slow ones, in the guard's window.
    pub slow_percent: Option<f64>,
    /// How many finished in the guard's window.
    pub finished: u64,
    /// The median from request to response start, in the guard's window.
    pub p50_ms: Option<f64>,
    /// The 99th percentile of it.
    pub p99_ms: Option<f64>,
    /// Requests under way.
    pub in_flight: Option<u64>,
    /// Predictions of this release whose outcome is known.
    pub samples: Option<u64>,
    /// F1 of these.
    pub f1: Option<FigureView>,
    /// Precision of these.
    pub precision: Option<FigureView>,
    /// Recall of these.
    pub recall: Option<FigureView>,
    /// The median from request to the first byte of the body, in the guard's window, where it is measured.
    pub first_chunk_p50_ms: Option<f64>,
    /// The 95th percentile of it.
    pub first_chunk_p95_ms: Option<f64>,
    /// Pieces of bodies a second, in the last 10 s, where they are counted.
    pub chunks_per_second: Option<f64>,
    /// Scores of this release, by name.
    pub scores: BTreeMap<String, ScoreView>,
}

/// What becomes of copies of requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ShadowView {
    /// Copies a second, in the last 10 s.
    pub copies_per_second: Option<f64>,
    /// Those of them that failed.
    pub failures_per_second: Option<f64>,
    /// How many of the copied requests the colors answer differently, where answers are compared.
    pub disagreement: Option<FigureView>,
    /// The most that is allowed.
    pub max_disagreement_percent: Option<f64>,
}

/// A figure, and between what the true one is by all likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each is what its name says")]
pub struct FigureView {
    pub percent: f64,
    pub low_percent: f64,
    pub high_percent: f64,
}

/// What the guard makes of a rollout.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GuardView {
    /// `watching`, `too few requests` or `rolled back`.
    pub state: &'static str,
    /// How far back it looks, in milliseconds.
    pub window_ms: u64,
    /// From when on a response is slow, in milliseconds, where the configuration says so.
    pub slow_after_ms: Option<u64>,
    /// Fewer requests in the window say nothing to a limit on a rate.
    pub min_requests: u64,
    /// Each cause for which it would roll back.
    pub causes: Vec<CauseView>,
}

/// How near a cause is to rolling back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CauseView {
    /// Its name in metrics.
    pub cause: &'static str,
    /// In what `value` and `limit` are: `percent` of requests, `points` above the stable color, `evidence` in percent.
    pub unit: &'static str,
    /// How it is now; none where nothing has finished.
    pub value: Option<f64>,
    /// Beyond this it rolls back.
    pub limit: f64,
    /// Whether there were enough requests to judge.
    pub is_enough: bool,
}

/// How good the predictions must be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QualityView {
    /// With fewer samples on either color nothing is judged.
    pub min_samples: u64,
    /// The weight at which the ramp waits for it.
    pub hold_at_percent: Option<f64>,
    /// Each limit.
    pub limits: Vec<QualityLimitView>,
    /// Each limit of a score.
    pub scores: Vec<ScoreLimitView>,
}

/// One limit of the quality gate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct QualityLimitView {
    /// Its name in the configuration.
    pub limit: &'static str,
    /// What it is a limit of: `f1`, `precision` or `recall`.
    pub figure: &'static str,
    /// As it is configured.
    pub configured: f64,
    /// The lowest that is allowed for the canary now.
    pub floor_percent: Option<f64>,
    /// `undecided`, `kept` or `broken`, where Envoy shows it.
    pub verdict: Option<&'static str>,
}

/// A percentage as a number.
pub fn number(percent: Percent) -> f64 {
    f64::from(percent.millipercent()) / 1_000.0
}
