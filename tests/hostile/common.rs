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
    let bed = TestEnv::start_with(|envoy| options(envoy.config(config).log_streams())).await;
    wait_for_state(&bed, 1).await;
    bed
}

/// Waits until the guards have looked at all that is counted by now. After a push each worker and the main
/// thread look at all rollouts, at `control` last; so once that is rolled back, for a failure that comes after
/// the push, `demo` has been looked at. Works once in a bed.
pub async fn look(bed: &TestEnv, mut in_force: Value) {
    assert_eq!(trips_of(bed, "control").await, 0.0);
    merge(&mut in_force, json!({ "version": "another" }));
    bed.push(in_force).await;
    let failing = get("/control").header("x-test-status", "500");
    bed.http1().send(failing).await;
    wait_for_trip(bed, "control").await;
}

/// Waits until requests that are under way by now have waited for longer than `slow_after`: by a request that
/// hangs, whose rollout trips on it. Works once in a bed.
pub async fn wait_beyond_slow_after(bed: &TestEnv) {
    let hanging = get("/clock").header("x-test-hang", "1");
    let noticed = wait_for_trip(bed, "clock");
    bed.http1().leave_before_response(hanging, noticed).await;
}

async fn wait_for_trip(bed: &TestEnv, rollout: &str) {
    let rollout = [("rollout", rollout)];
    let once = |trips| trips == 1.0;
    bed.envoy.wait_for_metric(TRIPS, &rollout, once).await;
}

async fn trips_of(bed: &TestEnv, rollout: &str) -> f64 {
    let rollout = [("rollout", rollout)];
    bed.envoy.metrics().await.get(TRIPS, &rollout)
}

/// How often `demo` was rolled back.
pub async fn trips(bed: &TestEnv) -> f64 {
    trips_of(bed, "demo").await
}

/// Waits for the state of `demo`'s guard: 0 watching, 1 too few requests to judge, 2 tripped.
pub async fn wait_for_state(bed: &TestEnv, state: u32) {
    wait_for(bed, "bluegreen_guard_state", f64::from(state)).await;
}

/// Waits until a metric of `demo`, summed over its other labels, has this value.
pub async fn wait_for(bed: &TestEnv, metric: &str, expected: f64) {
    let is_right = |value| value == expected;
    bed.envoy
        .wait_for_metric(metric, &[("rollout", "demo")], is_right)
        .await;
}

/// Waits until so many streams of `demo` are over, and none is under way.
pub async fn wait_for_ends(bed: &TestEnv, count: u64) {
    wait_for(bed, "bluegreen_responses_total", count as f64).await;
    wait_for(bed, "bluegreen_in_flight", 0.0).await;
}

/// Sees that a metric of `demo`, summed over its other labels, stays as it is, through more ticks than any
/// figure takes to be shown anew.
pub async fn assert_stays(bed: &TestEnv, metric: &str, expected: f64) {
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        let metrics = bed.envoy.metrics().await;
        let value = metrics.get(metric, &[("rollout", "demo")]);
        assert_eq!(value, expected, "{metric}");
        sleep(Duration::from_millis(50)).await;
    }
}

pub async fn failures(bed: &TestEnv) -> f64 {
    let demo = [("rollout", "demo")];
    let metrics = bed.envoy.metrics().await;
    metrics.get("bluegreen_failures_total", &demo)
}

/// Looks, and sees that all this did not roll `demo` back, nor count as failed.
pub async fn assert_harmless(bed: &TestEnv, in_force: Value, streams: &str) {
    look(bed, in_force).await;
    let seen = bed.envoy.wait_for_stream(streams).await;
    assert_eq!(
        (trips(bed).await, failures(bed).await),
        (0.0, 0.0),
        "{seen:?}"
    );
    assert!(!bed.envoy.log().contains("rollout demo: rolled back"));
}

/// Waits until `demo` is rolled back for this cause.
pub async fn wait_for_rollback(bed: &TestEnv, cause: &str) {
    let labels = [("rollout", "demo"), ("cause", cause)];
    let once = |trips| trips == 1.0;
    bed.envoy.wait_for_metric(TRIPS, &labels, once).await;
    wait_for_state(bed, 2).await;
}

pub fn both(bed: &TestEnv) -> [Client; 2] {
    [bed.http1(), bed.http2()]
}

/// So many of the same request, over several connections; each is answered with this status.
pub async fn send(bed: &TestEnv, count: u64, request: Request, status: u16) {
    let load = Load::to(bed.envoy.addr()).count(count);
    let report = load.run(move |_| request.clone()).await;
    assert_eq!(report.by_status(), [(status, count)].into());
}
