//! Configurations, users, and what Envoy shows of all profiles alike.

use serde_json::{Value, json};
use testbed::{Client, EnvoyBuilder, Feature, Request, TestEnv, get, with};

pub const PROFILES: [&str; 3] = ["full", "signalled", "lean"];

/// The profiles that need Envoy's access log.
pub const BY_SIGNAL: [&str; 2] = ["signalled", "lean"];

pub const COLORS: [&str; 2] = ["blue", "green"];

/// What the log says where a stream that did not end well was not signaled.
pub const NOT_SIGNALLED: &str = "was not signaled";

/// What the log says where Envoy can't signal any stream.
pub const NEVER_SIGNALLED: &str = "has no access log that signals streams; 1.39 and later have";

/// What the log says where responses are needed and Envoy may not hand them to the filter.
pub const NO_RESPONSES: &str = "responses do not reach the filter";

/// A rollout between the environment's two upstreams, half and half by user, with these fields beside or
/// instead of the usual.
pub fn rollout(name: &str, fields: Value) -> Value {
    let rollout = json!({
        "name": name,
        "clusters": { "blue": "blue", "green": "green" },
        "weights": { "blue": 50, "green": 50 },
        "sticky": [{ "header": "x-user-id" }],
    });
    with(rollout, fields)
}

/// One rollout called `demo`, for all requests.
pub fn config(profile: &str, fields: Value) -> Value {
    json!({ "profile": profile, "rollouts": [rollout("demo", fields)] })
}

/// Envoy as it is meant to be set up for `lean` where nothing needs responses.
pub fn without_responses(envoy: EnvoyBuilder) -> EnvoyBuilder {
    envoy.withhold("proxy_on_response_headers")
}

/// The color of a user of the rollout `demo`, as the contract has it.
pub fn color(user: &str) -> &'static str {
    testbed::color("demo", user, 50_000)
}

/// One user after the other.
pub fn users() -> impl Iterator<Item = String> {
    (0..).map(|i| format!("user-{i}"))
}

/// A user who has this color.
pub fn user_of(wanted: &str) -> String {
    users()
        .find(|user| color(user) == wanted)
        .expect("a user of each color")
}

pub fn as_user(user: &str) -> Request {
    get("/").header("x-user-id", user)
}

/// A request of a user who has green.
pub fn to_green() -> Request {
    as_user(&user_of("green"))
}

/// As [`to_green`], but it fails.
pub fn failing() -> Request {
    to_green().header("x-test-status", "500")
}

pub fn both(env: &TestEnv) -> [Client; 2] {
    [env.http1(), env.http2()]
}

/// Waits until a counter of `demo`, with these labels as well, stands at just this.
pub async fn wait_for_count(env: &TestEnv, name: &str, labels: &[(&str, &str)], count: u64) {
    let labels = [&[("rollout", "demo")], labels].concat();
    env.envoy
        .wait_for_metric(name, &labels, |n| n == count as f64)
        .await;
}

/// Waits until Envoy's access log has counted so many streams that did not end with a plain success; where Envoy
/// has none that can, there is nothing that counts.
pub async fn wait_for_suspects(env: &TestEnv, count: u64) {
    if !Feature::Signal.is_there() {
        let metrics = env.envoy.metrics().await;
        return assert_eq!(metrics.find("bluegreen_suspect_streams_total", &[]), None);
    }
    env.envoy
        .wait_for_metric("bluegreen_suspect_streams_total", &[], |n| {
            n == count as f64
        })
        .await;
}

/// Lines of Envoy's log with this text.
pub fn logged(env: &TestEnv, text: &str) -> usize {
    env.envoy
        .log()
        .lines()
        .filter(|line| line.contains(text))
        .count()
}
