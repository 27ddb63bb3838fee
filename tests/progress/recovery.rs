//! How long a rollback lasts, and what the guard makes of requests that a change comes upon.

use std::sync::Arc;

use serde_json::{Value, json};
use testbed::{
    Behavior, Client, Load, PATIENCE, PushOutcome, TestEnv, Upstream, eventually, merge,
};

use crate::common::{as_user, client_per_worker, config, rollout, served_by, weights};
use crate::guarded::{
    blue_user, green_user, look, send, trips, wait_for_rollback, wait_for_state, watched,
    watched_with, with_guard,
};

/// All on green.
fn all_on_green() -> Value {
    let guard = with_guard(json!({ "max_error_rate": 5 }));
    config(json!({ "weights": weights(100), "guard": guard }))
}

/// Lets green fail until the guard of `demo` has tripped so often, and each worker has learnt it.
async fn trip(env: &TestEnv, workers: &[Client], times: u32) {
    env.green.set(Behavior::status(500));
    let labels = [("rollout", "demo")];
    let tripped = || async {
        send(env, &green_user(), 20).await;
        let metrics = env.envoy.metrics().await;
        match metrics.get("bluegreen_guard_trips_total", &labels) {
            trips if trips == f64::from(times) => Ok(()),
            trips => Err(format!("{trips} trips")),
        }
    };
    eventually("green is rolled back", PATIENCE, tripped).await;
    env.green.set(Behavior::default());
    for worker in workers {
        let learnt = || async {
            match served_by(worker, as_user(&green_user())).await {
                color if color == "blue" => Ok(()),
                color => Err(color),
            }
        };
        eventually("a worker learns of a rollback", PATIENCE, learnt).await;
    }
}

async fn assert_all_on(workers: &[Client], color: &str, after: &str) {
    for worker in workers {
        for _ in 0..3 {
            let served_by = served_by(worker, as_user(&green_user())).await;
            assert_eq!(served_by, color, "after {after}");
        }
    }
}

/// Each change ends the rollback at once, and so does the change back.
async fn assert_ends_the_rollback(changes: &[(&str, Value)]) {
    let env = TestEnv::start(all_on_green()).await;
    let workers = client_per_worker(&env).await;
    for (times, (pointer, value)) in (1..).zip(changes) {
        trip(&env, &workers, times).await;
        let mut changed = all_on_green();
        let (object, field) = pointer.rsplit_once('/').expect("a pointer");
        let object = changed.pointer_mut(&format!("/rollouts/0{object}"));
        let object = object.expect("a part of the rollout");
        merge(object, json!({ field: value }));
        env.push(changed).await;
        assert_all_on(&workers, "green", &format!("{pointer} {value}")).await;
        env.push(all_on_green()).await;
        assert_all_on(&workers, "green", &format!("{pointer} {value} and back")).await;
    }
    let logged = env.envoy.log().matches("rollout demo: rolled back").count();
    assert_eq!(logged, changes.len());
}

#[tokio::test]
async fn any_change_of_the_rollout_ends_its_rollback_and_so_does_the_change_back() {
    let steps = json!([{ "weight": 100, "hold": "1h" }, { "weight": 100 }]);
    assert_ends_the_rollback(&[
        ("/weights", json!({ "blue": 0.001, "green": 99.999 })),
        ("/salt", json!("other")),
        ("/sticky", json!([])),
        ("/match", json!({ "path_prefix": "/" })),
        (
            "/override",
            json!({ "header": "x-bluegreen", "require": "internal" }),
        ),
        (
            "/ramp",
            json!({ "start": "2020-01-01T00:00:00Z", "steps": steps }),
        ),
        ("/guard/window", json!("11m")),
        ("/guard/min_requests", json!(21)),
        ("/guard/max_error_rate", json!(6)),
        ("/guard/max_error_rate_over_stable", json!(6)),
        ("/releases", json!({ "green": "2026-11-rc2" })),
    ])
    .await;
}

#[tokio::test]
async fn a_rollout_without_its_guard_is_not_rolled_back_nor_is_it_with_the_guard_again() {
    let env = TestEnv::start(all_on_green()).await;
    let workers = client_per_worker(&env).await;
    trip(&env, &workers, 1).await;
    env.push(config(json!({ "weights": weights(100) }))).await;
    assert_all_on(&workers, "green", "the guard is taken away").await;
    env.push(all_on_green()).await;
    assert_all_on(&workers, "green", "the guard is back").await;
    trip(&env, &workers, 2).await;
}

#[tokio::test]
async fn pushes_that_leave_the_rollout_as_it_is_leave_it_rolled_back() {
    let env = TestEnv::start(all_on_green()).await;
    let workers = client_per_worker(&env).await;
    trip(&env, &workers, 1).await;
    let user: Arc<str> = green_user().into();
    let load = Load::to(env.envoy.addr())
        .connections(8)
        .start(move |_| as_user(&user));
    let before = env.green.count();

    let with = |fields: Value| {
        let mut config = all_on_green();
        merge(&mut config, fields);
        config
    };
    let with_other = |green: u32| {
        let other = json!({ "match": { "path_prefix": "/other" }, "weights": weights(green) });
        let rollouts = [
            rollout("other", other),
            all_on_green()["rollouts"][0].clone(),
        ];
        json!({ "rollouts": rollouts })
    };
    let pushes = [
        with(json!({ "version": "2" })),
        all_on_green(),
        with(json!({ "color_header": "x-color" })),
        with(json!({ "route_header": "x-bluegreen-cluster", "version": "3" })),
        with_other(5),
        with_other(50),
        all_on_green(),
    ];
    for config in pushes {
        env.push(config).await;
        assert_all_on(&workers, "blue", "an unrelated push").await;
    }
    // The same in another writing.
    let text = all_on_green().to_string();
    assert_eq!(env.envoy.push_raw(text).await, PushOutcome::Accepted);
    let rejected = with(json!({ "rollouts": [] }));
    assert_eq!(env.envoy.push(rejected).await, PushOutcome::Rejected);
    assert_all_on(&workers, "blue", "a rejected push").await;

    let report = load.stop().await;
    assert_eq!(report.failed(), 0, "{:?}", report.by_status());
    assert_eq!(env.green.count(), before);
    wait_for_state(&env, 2).await;
    wait_for_rollback(&env, "blue", "error_rate").await;
}

#[tokio::test]
async fn a_rollback_ends_a_ramp() {
    let start = std::time::SystemTime::now();
    let second = std::time::Duration::from_secs(1);
    let ramp = json!({
        "start": humantime::format_rfc3339_millis(start - second).to_string(),
        "steps": [{ "weight": 50, "hold": "6s" }, { "weight": 100 }],
    });
    let guard = with_guard(json!({ "max_error_rate": 5 }));
    let mut policy = config(json!({ "ramp": ramp, "guard": guard }));
    let other = json!({ "match": { "path_prefix": "/other" }, "ramp": ramp });
    let rollouts = policy["rollouts"].as_array_mut().expect("rollouts");
    rollouts.push(rollout("other", other));
    let env = watched(policy).await;
    env.green.set(Behavior::status(500));
    send(&env, &green_user(), 20).await;
    wait_for_rollback(&env, "blue", "error_rate").await;
    // The other rollout's ramp, by the same clock, comes to its last step.
    let other = [("rollout", "other"), ("color", "green")];
    env.envoy
        .wait_for_metric("bluegreen_weight_millipercent", &other, |w| w == 100_000.0)
        .await;
    wait_for_rollback(&env, "blue", "error_rate").await;
}

/// No step depends on time: what hangs ends when its upstream does, once green's good requests are in, and
/// none of those is slow by the new limit.
#[tokio::test]
async fn requests_slow_before_a_change_that_fail_after_it_do_not_roll_a_healed_green_back() {
    let policy = |slow_after: &str, max_slow_rate: u32| {
        let guard = with_guard(json!({ "max_error_rate": 50,
            "slow_after": slow_after, "max_slow_rate": max_slow_rate }));
        let clusters = json!({ "blue": "blue", "green": "mortal" });
        config(json!({ "clusters": clusters, "guard": guard }))
    };
    let [before, after] = [policy("100ms", 100), policy("1h", 10)];
    let mortal = Upstream::start("green").await;
    let env = watched_with(after.clone(), |envoy| {
        let envoy = envoy.extra_yaml(&cluster("mortal", &mortal));
        envoy.edit_bootstrap("timeout: 15s", "timeout: 0s")
    })
    .await;
    let workers = client_per_worker(&env).await;
    let green = [("rollout", "demo"), ("color", "green")];
    let count = async |metric, count: f64| {
        let is_right = |value| value == count;
        env.envoy.wait_for_metric(metric, &green, is_right).await;
    };
    env.push(before).await;
    let hanging = Load::to(env.envoy.addr())
        .connections(20)
        .count(20)
        .start(|_| as_user(&green_user()).header("x-test-hang", "1"));
    count("bluegreen_guard_slow_total", 20.0).await;

    env.push(after).await;
    // A worker that answers has begun the new window.
    for worker in &workers {
        assert_eq!(served_by(worker, as_user(&blue_user())).await, "blue");
    }
    assert_eq!(send(&env, &green_user(), 30).await.failed(), 0);
    count("bluegreen_guard_finished_total", 30.0).await;
    drop(mortal);
    assert_eq!(hanging.stop().await.by_status(), [(503, 20)].into());
    count("bluegreen_failures_total", 20.0).await;
    look(&env).await;
    assert_eq!(trips(&env).await, 0.0);

    // 30 of 60 would keep the limit.
    assert_eq!(send(&env, &green_user(), 11).await.failed(), 11);
    let logged = env.envoy.wait_for_log("rollout demo: rolled back").await;
    let figures = "error_rate is beyond 50 %: 31 of 61 requests";
    assert!(logged.contains(figures), "{logged}");
}

/// Envoy does not configure anew what it takes up again while streams keep it.
#[tokio::test]
async fn a_configuration_that_is_taken_up_again_is_guarded() {
    let [first, second] = [10, 20].map(|green| {
        let guard = with_guard(json!({ "max_error_rate": 5 }));
        config(json!({ "weights": weights(green), "guard": guard }))
    });
    let env = TestEnv::start(first.clone()).await;
    let workers = client_per_worker(&env).await;
    let keeping = workers.clone().map(|client| async move {
        let request = as_user(&green_user()).header("x-test-hang", "1");
        let never = std::future::pending();
        client
            .connection_per_request()
            .leave_before_response(request, never)
            .await;
    });
    let [a, b] = keeping;
    let guarded = async {
        env.green.wait_for_count(2).await;
        env.push(second).await;
        assert_all_on(&workers, "green", "the second").await;
        env.push(first).await;
        assert_all_on(&workers, "green", "the first again").await;
        trip(&env, &workers, 1).await;
    };
    tokio::select! {
        () = guarded => {}
        _ = async { tokio::join!(a, b) } => unreachable!("they hang"),
    }
}

/// One more cluster, as Envoy's bootstrap has it.
fn cluster(name: &str, upstream: &Upstream) -> String {
    let port = upstream.addr().port();
    let address = json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
    let endpoints = json!([{ "lb_endpoints": [{ "endpoint": { "address": address } }] }]);
    let load = json!({ "cluster_name": name, "endpoints": endpoints });
    let cluster = json!({ "name": name, "load_assignment": load });
    json!({ "static_resources": { "clusters": [cluster] } }).to_string()
}
