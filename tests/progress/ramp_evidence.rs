//! Ramps whose steps ask for more than time.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use testbed::{Behavior, Client, Envoy, PATIENCE, TestEnv, eventually, get, merge};

use crate::common::{
    as_user, client_per_worker, colors, config, expected_colors, rollout, served_by, user_from,
    weights,
};
use crate::guarded::{send, wait_for_rollback, with_guard};

const HOUR: Duration = Duration::from_secs(3_600);
const DEMO: [(&str, &str); 1] = [("rollout", "demo")];

/// A ramp that began an hour ago.
fn ramp(steps: Value) -> Value {
    let start = humantime::format_rfc3339_millis(SystemTime::now() - HOUR).to_string();
    json!({ "start": start, "steps": steps })
}

/// The rollout `demo` with this ramp and a guard that needs 20 requests, and these fields.
fn ramped(ramp: &Value, fields: Value) -> Value {
    let guard = with_guard(json!({ "max_error_rate": 5 }));
    let mut ramped = json!({ "weights": weights(0), "guard": guard, "ramp": ramp });
    merge(&mut ramped, fields);
    config(ramped)
}

/// Adds a rollout `witness` that goes on as soon as 20 of its requests have been looked at. It comes last, so all
/// that was counted before for others has been looked at then too.
fn with_witness(mut policy: Value) -> Value {
    let steps = json!([{ "weight": 100, "min_requests": 20 }, { "weight": 100 }]);
    let fields = json!({ "match": { "path_prefix": "/witness" }, "ramp": ramp(steps) });
    let rollouts = policy["rollouts"].as_array_mut().expect("rollouts");
    rollouts.push(rollout("witness", fields));
    policy
}

async fn look(env: &TestEnv) {
    for _ in 0..20 {
        env.http1().send(get("/witness")).await;
    }
    let witness = [("rollout", "witness")];
    env.envoy
        .wait_for_metric("bluegreen_ramp_step", &witness, |step| step == 1.0)
        .await;
}

async fn wait_for_step(env: &TestEnv, step: u32) {
    let is_right = |shown| shown == f64::from(step);
    env.envoy
        .wait_for_metric("bluegreen_ramp_step", &DEMO, is_right)
        .await;
}

/// The index of the step in force, and whether it waits.
async fn shown(env: &TestEnv) -> (f64, f64) {
    let metrics = env.envoy.metrics().await;
    (
        metrics.get("bluegreen_ramp_step", &DEMO),
        metrics.get("bluegreen_ramp_waiting", &DEMO),
    )
}

/// Requests of a user who has green from the first step on.
async fn serve(env: &TestEnv, count: u64) {
    let report = send(env, &user_from(1), count).await;
    assert_eq!(report.served_by("green"), count);
}

/// Waits until each worker gives a user this color.
async fn wait_until_all_serve(workers: &[Client], user: &str, color: &str) {
    for worker in workers {
        let serves = || async {
            match served_by(worker, as_user(user)).await {
                served_by if served_by == color => Ok(()),
                served_by => Err(served_by),
            }
        };
        eventually("a worker takes the step", PATIENCE, serves).await;
    }
}

fn logged(env: &TestEnv, text: &str) -> usize {
    env.envoy.log().matches(text).count()
}

#[tokio::test]
async fn a_step_waits_for_its_requests_and_is_left_by_all_workers() {
    let steps = json!([
        { "weight": 10, "hold": "1s" },
        { "weight": 50, "min_requests": 30 },
        { "weight": 100 },
    ]);
    let policy = with_witness(ramped(&ramp(steps), json!({})));
    let env = TestEnv::start(policy).await;
    let workers = client_per_worker(&env).await;
    let users = [30, 80].map(user_from);
    env.envoy
        .wait_for_metric("bluegreen_ramp_waiting", &DEMO, |waits| waits == 1.0)
        .await;
    assert_eq!(shown(&env).await, (0.0, 1.0));

    // Blue's requests, and those of testers, are no evidence. The guard's minimum is what the step waits for.
    send(&env, &user_from(100), 30).await;
    serve(&env, 19).await;
    look(&env).await;
    assert_eq!(shown(&env).await, (0.0, 1.0));
    for worker in &workers {
        assert_eq!(served_by(worker, as_user(&users[0])).await, "blue");
    }
    serve(&env, 1).await;
    wait_for_step(&env, 1).await;
    wait_until_all_serve(&workers, &users[0], "green").await;
    // 2 or more of the next 30 have come while it was found out.
    serve(&env, 26).await;
    assert_eq!(served_by(&workers[0], as_user(&users[1])).await, "blue");
    serve(&env, 4).await;
    wait_for_step(&env, 2).await;
    wait_until_all_serve(&workers, &users[1], "green").await;
    assert_eq!(shown(&env).await, (2.0, 0.0));

    let first = "rollout demo: ramp step 1 of 3, weight 50 %: 20 canary requests in ";
    let second = "rollout demo: ramp step 2 of 3, weight 100 %: ";
    for line in [
        "rollout demo: the ramp begins at its first step",
        first,
        second,
    ] {
        assert_eq!(logged(&env, line), 1, "{line}");
    }
}

#[tokio::test]
async fn a_pause_lasts_until_the_next_configuration() {
    let paused = json!([{ "weight": 10, "pause": true }, { "weight": 100 }]);
    let env = TestEnv::start(with_witness(ramped(&ramp(paused), json!({})))).await;
    serve(&env, 100).await;
    look(&env).await;
    assert_eq!(shown(&env).await, (0.0, 1.0));
    assert_eq!(colors(&env).await, expected_colors(10));
    let passed = json!([{ "weight": 10, "hold": "0s", "min_requests": 0 }, { "weight": 100 }]);
    env.push(ramped(&ramp(passed), json!({}))).await;
    wait_for_step(&env, 1).await;
    assert_eq!(colors(&env).await, expected_colors(100));
}

#[tokio::test]
async fn an_unrelated_push_keeps_the_step_and_what_it_has_counted() {
    const MIN_REQUESTS: u64 = 700;
    let steps = json!([
        { "weight": 10, "min_requests": 20 },
        { "weight": 40, "min_requests": MIN_REQUESTS },
        { "weight": 100 },
    ]);
    let ramp = ramp(steps);
    let policy = with_witness(ramped(&ramp, json!({})));
    let with = |fields: Value| {
        let mut policy = policy.clone();
        merge(&mut policy["rollouts"][0], fields);
        policy
    };
    let env = TestEnv::start(policy.clone()).await;
    serve(&env, 20).await;
    wait_for_step(&env, 1).await;
    let mut with_version = policy.clone();
    merge(&mut with_version, json!({ "version": "2" }));
    let mut with_other = policy.clone();
    let other = rollout("other", json!({ "match": { "path_prefix": "/other" } }));
    let rollouts = with_other["rollouts"].as_array_mut().expect("rollouts");
    rollouts.insert(0, other);
    let guard = with_guard(json!({ "window": "5m", "max_error_rate": 6 }));
    for pushed in [
        with_version,
        with_other,
        with(json!({ "weights": weights(3) })),
        with(json!({ "guard": guard })),
    ] {
        serve(&env, 50).await;
        env.push(pushed).await;
        // About 100 of these are green's, too.
        assert_eq!(colors(&env).await, expected_colors(40));
        assert_eq!(shown(&env).await, (1.0, 1.0));
    }
    let missing = 20 + MIN_REQUESTS - env.green.count();
    serve(&env, missing - 1).await;
    look(&env).await;
    assert_eq!(shown(&env).await, (1.0, 1.0));
    serve(&env, 1).await;
    wait_for_step(&env, 2).await;

    // Another release begins anew, and so does an Envoy that remembers nothing.
    let another = ramped(&ramp, json!({ "releases": { "green": "2" } }));
    env.push(another.clone()).await;
    assert_eq!(colors(&env).await, expected_colors(10));
    let restarted = TestEnv::start(another).await;
    assert_eq!(colors(&restarted).await, expected_colors(10));
}

/// The ramp that has only holds would be at its end by the clock.
#[tokio::test]
async fn after_a_rollback_the_repaired_release_begins_at_the_first_step() {
    let with_evidence = ramp(json!([{ "weight": 10, "hold": "1m" }, { "weight": 100 }]));
    let without = ramp(json!([
        { "weight": 10, "hold": "1m", "min_requests": 0 },
        { "weight": 100 },
    ]));
    for (ramp, begins) in [(with_evidence, 10), (without, 100)] {
        let env = TestEnv::start(ramped(&ramp, json!({}))).await;
        assert_eq!(colors(&env).await, expected_colors(begins));
        env.green.set(Behavior::status(500));
        send(&env, &user_from(1), 20).await;
        wait_for_rollback(&env, "blue", "error_rate").await;

        // An unrelated push leaves it rolled back, and says so.
        let mut unrelated = ramped(&ramp, json!({}));
        merge(&mut unrelated, json!({ "version": "2" }));
        env.push(unrelated).await;
        let stays = "rollout demo: stays rolled back to blue (error_rate)";
        env.envoy.wait_for_log(stays).await;
        assert_eq!(logged(&env, stays), 1);
        assert_eq!(colors(&env).await, expected_colors(0));

        let repaired = |fields: Value| {
            let mut repaired = json!({ "releases": { "green": "2" } });
            merge(&mut repaired, fields);
            ramped(&ramp, repaired)
        };
        env.push(repaired(json!({}))).await;
        assert_eq!(colors(&env).await, expected_colors(10));
        wait_for_step(&env, 0).await;
        let green = [DEMO[0], ("color", "green")];
        env.envoy
            .wait_for_metric("bluegreen_weight_millipercent", &green, |weight| {
                weight == 10_000.0
            })
            .await;
        // It stays there with pushes that leave ramp and releases as they are.
        env.push(repaired(json!({ "weights": weights(1) }))).await;
        assert_eq!(colors(&env).await, expected_colors(10));
    }
}

#[tokio::test]
async fn the_step_is_shown_for_any_ramp() {
    let schedule = |start: SystemTime| {
        let start = humantime::format_rfc3339_millis(start).to_string();
        let steps = json!([{ "weight": 10, "hold": "30m" }, { "weight": 40, "hold": "2h" }, { "weight": 100 }]);
        config(json!({ "weights": weights(3), "ramp": { "start": start, "steps": steps } }))
    };
    let now = SystemTime::now();
    let env = TestEnv::start(schedule(now + HOUR)).await;
    // As soon as the configuration is in force. Envoy's gauges have no sign: this is -1.
    assert_eq!(shown(&env).await.0, u64::MAX as f64);
    let plain = env.envoy.admin_get("/stats?filter=ramp_step").await;
    assert_eq!(
        plain.trim(),
        format!("wasmcustom.bluegreen.rollout.demo.ramp_step: {}", u64::MAX)
    );
    env.push(schedule(now - HOUR)).await;
    wait_for_step(&env, 1).await;
    assert_eq!(shown(&env).await.1, 0.0);
    assert_eq!(logged(&env, "the ramp begins"), 0);

    let ended = schedule(now - 3 * HOUR);
    env.push(ended.clone()).await;
    wait_for_step(&env, 2).await;
    let warning = "rollout demo: the ramp begins at its last step";
    env.envoy.wait_for_log(warning).await;
    let mut unrelated = ended;
    merge(&mut unrelated, json!({ "version": "2" }));
    env.push(unrelated).await;
    env.envoy.wait_for_log("config in force: version 2").await;
    colors(&env).await;
    assert_eq!(logged(&env, warning), 1);

    env.push(config(json!({}))).await;
    wait_for_step(&env, 0).await;
}

#[tokio::test]
async fn a_guard_that_is_added_leaves_the_ramp_where_the_clock_has_it() {
    let ramp = ramp(json!([
        { "weight": 10, "hold": "30m" },
        { "weight": 40, "hold": "31m" },
        { "weight": 100 },
    ]));
    let without_guard = config(json!({ "weights": weights(0), "ramp": ramp }));
    let mut env = TestEnv::start(without_guard).await;
    assert_eq!(colors(&env).await, expected_colors(40));
    env.push(ramped(&ramp, json!({}))).await;
    assert_eq!(colors(&env).await, expected_colors(40));
    wait_for_step(&env, 1).await;
    // One that remembers nothing begins at the first step.
    env.envoy = Envoy::builder(env.blue.addr(), env.green.addr())
        .config(ramped(&ramp, json!({})))
        .start()
        .await;
    assert_eq!(colors(&env).await, expected_colors(10));
}
