//! Environments with a guard, and what it shows.

use std::ops::Deref;

use serde_json::{Value, json};
use testbed::{Behavior, EnvoyBuilder, Load, PATIENCE, Report, TestEnv, eventually, get, merge};

use crate::common::{as_user, client_per_worker, config, rollout, served_by, user_from};

const STATE: &str = "bluegreen_guard_state";
const TRIPS: &str = "bluegreen_guard_trips_total";

/// The rollout `demo` at 50 % green; these fields beside or instead of those of a guard that looks far
/// back and needs 20 requests.
pub fn guarded(guard: Value) -> Value {
    config(json!({ "guard": with_guard(guard) }))
}

pub fn with_guard(fields: Value) -> Value {
    let mut guard = json!({ "window": "10m", "min_requests": 20 });
    merge(&mut guard, fields);
    guard
}

/// An environment whose guard has begun to look. A rollout `control` is there too; see [`look`].
#[derive(Debug)]
pub struct Watched {
    env: TestEnv,
    config: Value,
}

impl Deref for Watched {
    type Target = TestEnv;

    fn deref(&self) -> &TestEnv {
        &self.env
    }
}

pub async fn watched(config: Value) -> Watched {
    watched_with(config, |envoy| envoy).await
}

/// As [`watched`], with an Envoy as the test wants it.
pub async fn watched_with(
    mut config: Value,
    options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder,
) -> Watched {
    add_control(&mut config);
    let env = TestEnv::start_with(|envoy| options(envoy.config(config.clone()))).await;
    wait_for_state(&env, 1).await;
    Watched { env, config }
}

/// Adds a rollout `control` at `/control`, all on green, that the first failure rolls back.
fn add_control(config: &mut Value) {
    let guard = json!({ "window": "10m", "min_requests": 1, "max_error_rate": 0 });
    let control = json!({
        "match": { "path_prefix": "/control" },
        "weights": { "blue": 0, "green": 100 },
        "guard": guard,
    });
    let rollouts = config["rollouts"].as_array_mut().expect("rollouts");
    rollouts.push(rollout("control", control));
}

/// Waits until the guard of `demo` has looked at all that is counted by now. After a push, each worker
/// and the main thread look at all rollouts, at `control` last. So once that is rolled back, for a
/// failure that comes after the push, `demo` has been looked at. Works once in an environment.
pub async fn look(watched: &Watched) {
    let control = [("rollout", "control")];
    assert_eq!(watched.envoy.metrics().await.get(TRIPS, &control), 0.0);
    let mut config = watched.config.clone();
    merge(&mut config, json!({ "version": "another" }));
    watched.push(config).await;
    let failing = get("/control").header("x-test-status", "500");
    watched.http1().send(failing).await;
    watched
        .envoy
        .wait_for_metric(TRIPS, &control, |trips| trips == 1.0)
        .await;
}

/// So many requests of one user, over several connections.
pub async fn send(env: &TestEnv, user: &str, count: u64) -> Report {
    let user = user.to_owned();
    Load::to(env.envoy.addr())
        .count(count)
        .run(move |_| as_user(&user))
        .await
}

/// A user who has green, as long as it has some weight.
pub fn green_user() -> String {
    user_from(1)
}

/// A user who has blue, as long as it has some weight.
pub fn blue_user() -> String {
    user_from(100)
}

/// Waits for a state of the guard: 0 watching, 1 too few requests to judge, 2 tripped.
pub async fn wait_for_state(env: &TestEnv, state: u32) {
    let is_right = |value| value == f64::from(state);
    env.envoy
        .wait_for_metric(STATE, &[("rollout", "demo")], is_right)
        .await;
}

/// How often the guard of `demo` has tripped.
pub async fn trips(env: &TestEnv) -> f64 {
    let labels = [("rollout", "demo")];
    env.envoy.metrics().await.get(TRIPS, &labels)
}

/// Waits for the first rollback of `demo` to its stable color, and checks all there is to see of it:
/// each worker has learnt it, for those too who had the other color; stats show it; and it was counted
/// and logged once, although every worker and the main thread look after the guard.
pub async fn wait_for_rollback(env: &TestEnv, stable: &str, cause: &str) {
    let demo = [("rollout", "demo")];
    env.envoy
        .wait_for_metric(TRIPS, &[demo[0], ("cause", cause)], |trips| trips == 1.0)
        .await;
    wait_for_state(env, 2).await;
    for upstream in [&env.blue, &env.green] {
        upstream.set(Behavior::default());
    }
    for client in client_per_worker(env).await {
        let users = [green_user(), blue_user()];
        for user in &users {
            let learnt = || async {
                match served_by(&client, as_user(user)).await {
                    color if color == stable => Ok(()),
                    color => Err(color),
                }
            };
            eventually("a worker learns of a rollback", PATIENCE, learnt).await;
        }
        for user in users.iter().cycle().take(20) {
            assert_eq!(served_by(&client, as_user(user)).await, stable);
        }
    }
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get(TRIPS, &demo), 1.0);
    for color in ["blue", "green"] {
        let weight = metrics.get(
            "bluegreen_weight_millipercent",
            &[demo[0], ("color", color)],
        );
        assert_eq!(
            weight,
            if color == stable { 100_000.0 } else { 0.0 },
            "{color}"
        );
    }
    assert_eq!(rollbacks_logged(env).len(), 1);
}

/// What the log says of rollbacks of `demo`.
pub fn rollbacks_logged(env: &TestEnv) -> Vec<String> {
    let log = env.envoy.log();
    let lines = log
        .lines()
        .filter_map(|line| line.split_once("rollout demo: rolled back"));
    lines.map(|(_, what)| what.trim().to_owned()).collect()
}
