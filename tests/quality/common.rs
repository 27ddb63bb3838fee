//! Configurations, feedback as a service gives it, and what Envoy shows of it.

use std::fmt::Display;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testbed::{EnvoyBuilder, Metrics, PATIENCE, Request, TestEnv, eventually, get, post, with};

pub const PATH: &str = "/bluegreen/feedback";
pub const TOKEN_HEADER: &str = "x-bluegreen-token";
pub const TOKEN: &str = "a-token-that-nobody-may-see";

/// True and false positives, false and true negatives.
pub type Counts = [u64; 4];

pub const KINDS: [&str; 4] = ["tp", "fp", "fn", "tn"];

/// The worked example: blue's F1 is 0.821, green's 0.872.
pub const BLUE: Counts = [80, 15, 20, 0];
pub const GREEN: Counts = [85, 10, 15, 0];

/// The figures of one color's release.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    pub samples: f64,
    pub precision_ppm: f64,
    pub recall_ppm: f64,
    pub f1_ppm: f64,
}

// === impl Figures ===

impl Figures {
    /// By the contract's formulas, written down apart from the filter's own code.
    pub fn of(counts: Counts) -> Self {
        let [tp, fp, fn_, tn] = counts.map(|count| count as f64);
        let ppm = |part: f64, whole: f64| match whole {
            0.0 => 0.0,
            _ => (part / whole * 1e6).round(),
        };
        Self {
            samples: tp + fp + fn_ + tn,
            precision_ppm: ppm(tp, tp + fp),
            recall_ppm: ppm(tp, tp + fn_),
            f1_ppm: ppm(2.0 * tp, 2.0 * tp + fp + fn_),
        }
    }

    pub fn shown(metrics: &Metrics, rollout: &str, color: &str) -> Self {
        let labels = [("rollout", rollout), ("color", color)];
        let figure = |name: &str| metrics.get(&format!("bluegreen_quality_{name}"), &labels);
        Self {
            samples: figure("samples"),
            precision_ppm: figure("precision_ppm"),
            recall_ppm: figure("recall_ppm"),
            f1_ppm: figure("f1_ppm"),
        }
    }
}

/// Feedback for who has the token.
pub fn with_token() -> Value {
    let digest = Sha256::digest(TOKEN);
    let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "path": PATH, "require": { "token": { "header": TOKEN_HEADER, "sha256": sha256 } } })
}

/// These rollouts, and feedback for who has the token.
pub fn config(rollouts: impl Into<Value>) -> Value {
    json!({ "feedback": with_token(), "rollouts": rollouts.into() })
}

/// A rollout of half and half for the paths below its name, whose quality is measured.
pub fn rollout(name: &str) -> Value {
    let measured = json!({ "releases": { "blue": "1", "green": "1" } });
    with(unmeasured(name), measured)
}

/// The same without anything that is measured.
pub fn unmeasured(name: &str) -> Value {
    json!({
        "name": name,
        "match": { "path_prefix": format!("/{name}/") },
        "clusters": { "blue": "blue", "green": "green" },
        "weights": { "blue": 50, "green": 50 },
    })
}

/// The last step but one of this ramp is long over: where it does not wait, all weight is green's.
pub fn overdue_ramp(hold: &str) -> Value {
    let start = SystemTime::now() - Duration::from_secs(3_600);
    json!({
        "start": humantime::format_rfc3339_millis(start).to_string(),
        "steps": [{ "weight": 10, "hold": "1m" }, { "weight": 50, "hold": hold }, { "weight": 100 }],
    })
}

pub async fn start(config: Value) -> TestEnv {
    TestEnv::start_with(|envoy| taking_feedback(envoy).config(config)).await
}

/// Allows what feedback needs beyond the shipped file.
pub fn taking_feedback(envoy: EnvoyBuilder) -> EnvoyBuilder {
    envoy
        .allow("proxy_on_request_body")
        .allow("proxy_on_request_trailers")
}

pub fn item(rollout: &str, color: &str, [tp, fp, fn_, tn]: Counts) -> Value {
    json!({ "rollout": rollout, "color": color, "tp": tp, "fp": fp, "fn": fn_, "tn": tn })
}

pub fn feedback(body: impl Display) -> Request {
    post(PATH, body.to_string()).header(TOKEN_HEADER, TOKEN)
}

/// Gives feedback over a connection of its own; where bodies can't be had, item by item in the query.
#[track_caller]
pub fn tell(env: &TestEnv, items: Value) -> impl Future<Output = ()> {
    let client = env.http1();
    let requests = match &items {
        _ if !testbed::is_bare() => vec![feedback(&items)],
        Value::Array(items) => items.iter().map(in_query).collect(),
        item => vec![in_query(item)],
    };
    async move {
        for request in requests {
            let response = client.send(request).await;
            assert_eq!((response.status, response.text()), (204, String::new()));
        }
    }
}

/// Feedback of one item without a body.
fn in_query(item: &Value) -> Request {
    let fields = item.as_object().expect("an item").iter();
    let pairs = fields.map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        count => format!("{name}={count}"),
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    post(&format!("{PATH}?{query}"), "").header(TOKEN_HEADER, TOKEN)
}

/// A request to a rollout whose upstream tells an outcome.
pub fn telling(rollout: &str, outcome: impl AsRef<[u8]>) -> Request {
    let header = [b"x-bluegreen-outcome: ", outcome.as_ref()].concat();
    get(&format!("/{rollout}/")).header("x-test-response-header", header)
}

/// All outcomes of a color that were ever counted.
pub fn counted(metrics: &Metrics, rollout: &str, color: &str) -> Counts {
    KINDS.map(|kind| {
        let labels = [("rollout", rollout), ("color", color), ("outcome", kind)];
        metrics.get("bluegreen_quality_outcomes_total", &labels) as u64
    })
}

pub async fn wait_for_figures(env: &TestEnv, rollout: &str, color: &str, counts: Counts) {
    let expected = Figures::of(counts);
    let shown = || async {
        let shown = Figures::shown(&env.envoy.metrics().await, rollout, color);
        (shown == expected)
            .then_some(())
            .ok_or_else(|| format!("{shown:?}, expected {expected:?}"))
    };
    eventually(
        &format!("the figures of {rollout} {color}"),
        PATIENCE,
        shown,
    )
    .await;
}

/// Waits until green has this weight.
pub async fn wait_for_weight(env: &TestEnv, rollout: &str, millipercent: u32) {
    let labels = [("rollout", rollout), ("color", "green")];
    let is_right = |weight| weight == f64::from(millipercent);
    env.envoy
        .wait_for_metric("bluegreen_weight_millipercent", &labels, is_right)
        .await;
}

/// Green's weight.
pub fn weight(metrics: &Metrics, rollout: &str) -> f64 {
    let labels = [("rollout", rollout), ("color", "green")];
    metrics.get("bluegreen_weight_millipercent", &labels)
}

pub async fn wait_for_guard_state(env: &TestEnv, rollout: &str, state: u32) {
    let labels = [("rollout", rollout)];
    let is_right = |shown| shown == f64::from(state);
    env.envoy
        .wait_for_metric("bluegreen_guard_state", &labels, is_right)
        .await;
}

/// Waits until one color serves this request on every worker.
pub async fn wait_until_served_by(env: &TestEnv, color: &str, request: &Request) {
    env.wait_until_served_by(color, request).await;
    env.assert_all_workers_took_connections().await;
}
