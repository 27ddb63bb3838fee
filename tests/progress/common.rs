//! Configurations, users, and who serves whom.

use serde_json::{Value, json};
use testbed::{Client, Request, TestEnv, get, merge};

/// A rollout between the environment's two upstreams, by user, with these fields beside or instead of the usual.
pub fn rollout(name: &str, fields: Value) -> Value {
    let mut rollout = json!({
        "name": name,
        "clusters": { "blue": "blue", "green": "green" },
        "weights": weights(50),
        "sticky": [{ "header": "x-user-id" }],
    });
    merge(&mut rollout, fields);
    rollout
}

/// One rollout called `demo`, for all requests.
pub fn config(fields: Value) -> Value {
    json!({ "rollouts": [rollout("demo", fields)] })
}

pub fn weights(green: u32) -> Value {
    json!({ "blue": 100 - green, "green": green })
}

/// The color that serves a user of the rollout `demo`, with green at so many percent.
pub fn color(user: &str, green: u32) -> &'static str {
    testbed::color("demo", user, green * 1_000)
}

/// A user whom green serves from this weight on, in percent, but not at one less.
pub fn user_from(green: u32) -> String {
    users()
        .find(|user| color(user, green) == "green" && color(user, green - 1) == "blue")
        .expect("a user")
}

/// One user after the other.
pub fn users() -> impl Iterator<Item = String> {
    (0..).map(|i| format!("user-{i}"))
}

pub fn as_user(user: &str) -> Request {
    get("/").header("x-user-id", user)
}

/// Who serves a request. Its status may be anything, but an upstream has to have answered.
pub async fn served_by(client: &Client, request: Request) -> String {
    let response = client.send(request).await;
    response
        .served_by()
        .unwrap_or_else(|| panic!("no upstream answered: {response:?}"))
        .to_owned()
}

/// One client for each of the two workers, over a connection that it keeps. Each has sent requests of
/// the last user to whom green comes.
pub async fn client_per_worker(env: &TestEnv) -> [Client; 2] {
    env.client_per_worker(&as_user(&user_from(100))).await.0
}

/// Waits until all of this rollout's streams are over, so many since Envoy's start.
pub async fn wait_for_responses(env: &TestEnv, rollout: &str, count: u64) {
    let labels = [("rollout", rollout)];
    env.envoy
        .wait_for_metric("bluegreen_responses_total", &labels, |n| n == count as f64)
        .await;
}

/// So many users are asked for by [`colors`].
pub const USERS: usize = 120;

/// Whom each of the first users gets, from either worker.
pub async fn colors(env: &TestEnv) -> Vec<String> {
    let [first, second] = client_per_worker(env).await;
    let mut colors = Vec::new();
    for user in users().take(USERS) {
        let color = served_by(&first, as_user(&user)).await;
        let other = served_by(&second, as_user(&user)).await;
        assert_eq!(color, other, "{user}");
        colors.push(color);
    }
    colors
}

/// Whom each of the first users should get, with green at so many percent.
pub fn expected_colors(green: u32) -> Vec<String> {
    let color = |user: String| color(&user, green).to_owned();
    users().take(USERS).map(color).collect()
}
