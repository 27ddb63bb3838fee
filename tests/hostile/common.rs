//! Rollouts with a guard, and what it makes of an attack.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Client, EnvoyBuilder, Load, Request, TestEnv, get, merge, with};
use tokio::time::{Instant, sleep};

const TRIPS: &str = "bluegreen_guard_trips_total";

/// What a rollout's guard has to be told in these tests beside its limits.
pub const SLOW_AFTER: &str = "300ms";

/// A guard that looks far back and needs 20 requests, with these limits.
pub fn guard(limits: Value) -> Value {
    with(json!({ "window": "10m", "min_requests": 20 }), limits)
}

/// Limits of failures and of slow requests.
pub fn strict() -> Value {
    guard(json!({ "max_error_rate": 5, "slow_after": SLOW_AFTER, "max_slow_rate": 5 }))
}

/// A rollout for all on green, with these fields beside or instead of the usual.
pub fn rollout(name: &str, fields: Value) -> Value {
    let rollout = json!({
        "name": name,
        "clusters": { "blue": "blue", "green": "green" },
        "weights": { "blue": 0, "green": 100 },
    });
    with(rollout, fields)
}

/// The rollout `demo` with these fields, and the two that [`look`] and [`wait_beyond_slow_after`] use.
pub fn config(fields: Value) -> Value {
    let mut config = without_demo();
    let rollouts = config["rollouts"].as_array_mut().expect("rollouts");
    rollouts.insert(0, rollout("demo", fields));
    config
}

pub fn without_demo() -> Value {
    let hair_trigger = |limits| with(guard(limits), json!({ "min_requests": 1 }));
    let control = json!({
        "match": { "path_prefix": "/control" },
        "guard": hair_trigger(json!({ "max_error_rate": 0 })),
    });
    let clock = json!({
        "match": { "path_prefix": "/clock" },
        "guard": hair_trigger(json!({ "slow_after": SLOW_AFTER, "max_slow_rate": 0 })),
    });
    json!({ "rollouts": [rollout("clock", clock), rollout("control", control)] })
}

/// An Envoy whose guard of `demo` has begun to look.
pub async fn watched(config: Value, options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder) -> TestEnv {
    let env = TestEnv::start_with(|envoy| options(envoy.config(config).log_streams())).await;
    wait_for_state(&env, 1).await;
    env
}

/// Waits until the guards have looked at all that is counted by now. After a push each worker and the main
/// thread look at all rollouts, at `control` last; so once that is rolled back, for a failure that comes after
/// the push, `demo` has been looked at. Works once in an environment.
pub async fn look(env: &TestEnv, mut in_force: Value) {
    assert_eq!(trips_of(env, "control").await, 0.0);
    merge(&mut in_force, json!({ "version": "another" }));
    env.push(in_force).await;
    let failing = get("/control").header("x-test-status", "500");
    env.http1().send(failing).await;
    wait_for_trip(env, "control").await;
}

/// Waits until requests that are under way by now have waited for longer than `slow_after`: by a request that
/// hangs, whose rollout trips on it. Works once in an environment.
pub async fn wait_beyond_slow_after(env: &TestEnv) {
    let hanging = get("/clock").header("x-test-hang", "1");
    let noticed = wait_for_trip(env, "clock");
    env.http1().leave_before_response(hanging, noticed).await;
}

async fn wait_for_trip(env: &TestEnv, rollout: &str) {
    let rollout = [("rollout", rollout)];
    let once = |trips| trips == 1.0;
    env.envoy.wait_for_metric(TRIPS, &rollout, once).await;
}

async fn trips_of(env: &TestEnv, rollout: &str) -> f64 {
    let rollout = [("rollout", rollout)];
    env.envoy.metrics().await.get(TRIPS, &rollout)
}

/// How often `demo` was rolled back.
pub async fn trips(env: &TestEnv) -> f64 {
    trips_of(env, "demo").await
}

/// Waits for the state of `demo`'s guard: 0 watching, 1 too few requests to judge, 2 tripped.
pub async fn wait_for_state(env: &TestEnv, state: u32) {
    wait_for(env, "bluegreen_guard_state", f64::from(state)).await;
}

/// Waits until a metric of `demo`, summed over its other labels, has this value.
pub async fn wait_for(env: &TestEnv, metric: &str, expected: f64) {
    let is_right = |value| value == expected;
    env.envoy
        .wait_for_metric(metric, &[("rollout", "demo")], is_right)
        .await;
}

/// Waits until so many streams of `demo` are over, and none is under way.
pub async fn wait_for_ends(env: &TestEnv, count: u64) {
    wait_for(env, "bluegreen_responses_total", count as f64).await;
    wait_for(env, "bluegreen_in_flight", 0.0).await;
}

/// Sees that a metric of `demo`, summed over its other labels, stays as it is, through more ticks than any
/// figure takes to be shown anew.
pub async fn assert_stays(env: &TestEnv, metric: &str, expected: f64) {
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        let metrics = env.envoy.metrics().await;
        let value = metrics.get(metric, &[("rollout", "demo")]);
        assert_eq!(value, expected, "{metric}");
        sleep(Duration::from_millis(50)).await;
    }
}

pub async fn failures(env: &TestEnv) -> f64 {
    let demo = [("rollout", "demo")];
    let metrics = env.envoy.metrics().await;
    metrics.get("bluegreen_failures_total", &demo)
}

/// Looks, and sees that all this did not roll `demo` back, nor count as failed.
pub async fn assert_harmless(env: &TestEnv, in_force: Value, streams: &str) {
    look(env, in_force).await;
    let seen = env.envoy.wait_for_stream(streams).await;
    assert_eq!(
        (trips(env).await, failures(env).await),
        (0.0, 0.0),
        "{seen:?}"
    );
    assert!(!env.envoy.log().contains("rollout demo: rolled back"));
}

/// Waits until `demo` is rolled back for this cause.
pub async fn wait_for_rollback(env: &TestEnv, cause: &str) {
    let labels = [("rollout", "demo"), ("cause", cause)];
    let once = |trips| trips == 1.0;
    env.envoy.wait_for_metric(TRIPS, &labels, once).await;
    wait_for_state(env, 2).await;
}

pub fn both(env: &TestEnv) -> [Client; 2] {
    [env.http1(), env.http2()]
}

/// So many of the same request, over several connections; each is answered with this status.
pub async fn send(env: &TestEnv, count: u64, request: Request, status: u16) {
    let load = Load::to(env.envoy.addr()).count(count);
    let report = load.run(move |_| request.clone()).await;
    assert_eq!(report.by_status(), [(status, count)].into());
}
