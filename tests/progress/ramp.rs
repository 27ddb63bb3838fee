//! The weight that goes up by the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use testbed::{Client, Envoy, TestEnv, merge};

use crate::common::{
    as_user, client_per_worker, color, colors, config, expected_colors, rollout, served_by,
    user_from, weights,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// Weights in percent, and how long each is held.
const STEPS: [(u32, Duration); 3] = [
    (10, Duration::from_secs(2)),
    (40, Duration::from_secs(3)),
    (100, Duration::ZERO),
];
const BEFORE_START: u32 = 5;

fn time(at: SystemTime) -> Value {
    json!(humantime::format_rfc3339_millis(at).to_string())
}

/// A rollout whose ramp has been at 30 % for half an hour, and will be for another.
fn halfway() -> Value {
    let steps = json!([
        { "weight": 10, "hold": "30m" },
        { "weight": 30, "hold": "1h" },
        { "weight": 100 },
    ]);
    let start = time(SystemTime::now() - HOUR);
    config(json!({ "weights": weights(0), "ramp": { "start": start, "steps": steps } }))
}

/// The weight that the clock and the schedule give, worked out apart from the filter.
fn weight_at(start: SystemTime, now: SystemTime) -> u32 {
    let mut step_begins = start;
    let mut weight = BEFORE_START;
    for (step, hold) in STEPS {
        if now >= step_begins {
            weight = step;
        }
        step_begins += hold;
    }
    weight
}

/// The filter knows the time in whole milliseconds.
fn now() -> SystemTime {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    UNIX_EPOCH + Duration::from_millis(since_1970.as_millis() as u64)
}

#[tokio::test]
async fn the_weight_is_that_of_the_clock_on_each_worker_and_no_user_moves_back() {
    let env = TestEnv::start(config(json!({ "weights": weights(BEFORE_START) }))).await;
    let workers = client_per_worker(&env).await;
    let users = [3, 8, 25, 70].map(user_from);
    let start = now() + Duration::from_secs(2);
    let steps: Vec<Value> = STEPS
        .iter()
        .map(|(weight, hold)| match hold.as_secs() {
            0 => json!({ "weight": weight }),
            seconds => json!({ "weight": weight, "hold": format!("{seconds}s") }),
        })
        .collect();
    let ramp = json!({ "start": time(start), "steps": steps });
    env.push(config(
        json!({ "weights": weights(BEFORE_START), "ramp": ramp }),
    ))
    .await;

    let green = [("rollout", "demo"), ("color", "green")];
    let mut has_moved = [false; 4];
    let mut shown = Vec::new();
    while shown.last() != Some(&100) || has_moved != [true; 4] {
        for worker in &workers {
            for (user, has_moved) in users.iter().zip(&mut has_moved) {
                let before = now();
                let served_by = served_by(worker, as_user(user)).await;
                let possible = [before, now()].map(|at| color(user, weight_at(start, at)));
                assert!(
                    possible.contains(&served_by.as_str()),
                    "{user}: {served_by}"
                );
                assert!(!*has_moved || served_by == "green", "{user} moved back");
                *has_moved = served_by == "green";
            }
        }
        let second = Duration::from_secs(1);
        let earliest = weight_at(start, now() - second);
        let gauge = env
            .envoy
            .metrics()
            .await
            .get("bluegreen_weight_millipercent", &green);
        let gauge = (gauge / 1_000.0) as u32;
        let latest = weight_at(start, now());
        assert!(
            (earliest..=latest).contains(&gauge),
            "{gauge}, not {earliest} to {latest}"
        );
        if shown.last() != Some(&gauge) {
            shown.push(gauge);
        }
        assert!(
            now() < start + HOUR,
            "the ramp does not come to its end: {shown:?}"
        );
    }
    assert_eq!(shown, [5, 10, 40, 100]);
}

#[tokio::test]
async fn a_restart_in_the_middle_changes_nothing() {
    let policy = halfway();
    let mut env = TestEnv::start(policy.clone()).await;
    assert_eq!(colors(&env).await, expected_colors(30));
    env.envoy = Envoy::builder(env.blue.addr(), env.green.addr())
        .config(policy)
        .start()
        .await;
    assert_eq!(colors(&env).await, expected_colors(30));
    let green = [("rollout", "demo"), ("color", "green")];
    let weight = env
        .envoy
        .metrics()
        .await
        .get("bluegreen_weight_millipercent", &green);
    assert_eq!(weight, 30_000.0);
}

#[tokio::test]
async fn a_push_that_leaves_the_ramp_as_it_is_changes_nothing() {
    let policy = halfway();
    let env = TestEnv::start(policy.clone()).await;
    assert_eq!(colors(&env).await, expected_colors(30));
    let mut with_version = policy.clone();
    merge(&mut with_version, json!({ "version": "2" }));
    let mut with_other = policy.clone();
    let other = json!({ "match": { "path_prefix": "/other" } });
    with_other["rollouts"]
        .as_array_mut()
        .expect("rollouts")
        .push(rollout("other", other));
    let mut with_guard = policy;
    let guard = json!({ "window": "1m", "min_requests": 10, "max_error_rate": 5 });
    merge(&mut with_guard["rollouts"][0], json!({ "guard": guard }));
    for pushed in [with_version, with_other, with_guard] {
        env.push(pushed).await;
        assert_eq!(colors(&env).await, expected_colors(30));
    }
}

#[tokio::test]
async fn with_stable_green_a_ramp_moves_blue_up() {
    let mut policy = halfway();
    merge(
        &mut policy["rollouts"][0],
        json!({ "stable": "green", "weights": weights(100) }),
    );
    let env = TestEnv::start(policy).await;
    assert_eq!(colors(&env).await, expected_colors(70));
    let weight = |metrics: &testbed::Metrics, color| {
        metrics.get(
            "bluegreen_weight_millipercent",
            &[("rollout", "demo"), ("color", color)],
        )
    };
    let metrics = env.envoy.metrics().await;
    assert_eq!(
        (weight(&metrics, "blue"), weight(&metrics, "green")),
        (30_000.0, 70_000.0)
    );
}

#[tokio::test]
async fn before_the_start_weights_hold() {
    let mut policy = halfway();
    merge(
        &mut policy["rollouts"][0],
        json!({ "weights": weights(7), "ramp": {
            "start": time(SystemTime::now() + HOUR), "steps": [{ "weight": 50 }],
        } }),
    );
    let env = TestEnv::start(policy).await;
    assert_eq!(colors(&env).await, expected_colors(7));
}

/// Envoy keeps a configuration alive, and its timer running, while it has streams.
#[tokio::test]
async fn a_stream_that_outlives_its_configuration_does_not_bring_the_old_weight_back() {
    let env = TestEnv::start(halfway()).await;
    let hanging = [env.http1(), env.http1(), env.http1(), env.http1()];
    let hang = |client: Client| async move {
        let request = as_user(&user_from(10)).header("x-test-hang", "1");
        let never = std::future::pending();
        client.leave_before_response(request, never).await;
    };
    let shown = async {
        env.green.wait_for_count(4).await;
        env.push(config(json!({ "weights": weights(60) }))).await;
        // The first request puts it in force: until then the old one may show its weight once more.
        let labels = [("rollout", "demo"), ("color", "green")];
        assert_eq!(
            served_by(&env.http1(), as_user(&user_from(60))).await,
            "green"
        );
        let is_new = |weight| weight == 60_000.0;
        env.envoy
            .wait_for_metric("bluegreen_weight_millipercent", &labels, is_new)
            .await;
        // Longer than it takes a timer to look after every rollout once.
        let mut looks = tokio::time::interval(Duration::from_millis(100));
        for _ in 0..30 {
            looks.tick().await;
            let metrics = env.envoy.metrics().await;
            let weight = metrics.get("bluegreen_weight_millipercent", &labels);
            assert_eq!(weight, 60_000.0);
        }
    };
    let [a, b, c, d] = hanging.clone();
    tokio::select! {
        () = shown => {}
        _ = async { tokio::join!(hang(a), hang(b), hang(c), hang(d)) } => unreachable!("they hang"),
    }
}
