//! One verdict for all.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;
use testbed::{Etcd, get};

use crate::fleet::{
    Fleet, INTERVAL, config, guarded, send, trips, wait_for_state, wait_until_served_by,
};

/// What a busy machine takes beside the exchanges.
const SLACK: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_rollback_is_in_force_on_all_within_two_intervals_and_on_one_that_starts_later() {
    let etcd = Etcd::builder().members(3).start().await;
    let mut fleet = Fleet::start(3, &etcd, guarded(20)).await;
    fleet.fail(0, 30).await;
    wait_for_state(&fleet.envoys[0], 2).await;
    let begin = Instant::now();
    fleet.wait_until_served_by("blue").await;
    let took = begin.elapsed();
    println!("in force on all {took:?} after the first");
    assert!(took < 2 * INTERVAL + SLACK, "{took:?}");

    // One that is new, and one that remembers nothing: not a single request goes to green.
    fleet.mend();
    for (index, node) in ["proxy-new", "proxy-0"].into_iter().enumerate() {
        if index == 1 {
            fleet.kill(0);
        }
        let envoy = fleet.builder(node).start().await;
        let report = send(&envoy, 100, get("/")).await;
        assert_eq!(report.served_by("blue"), 100, "{:?}", report.by_served_by());
        fleet.envoys.push(envoy);
    }
    assert_eq!(fleet.green.count(), 0);
    fleet.assert_sound().await;
}

#[tokio::test]
async fn the_guard_judges_the_requests_of_all_together() {
    let etcd = Etcd::start().await;
    let fleet = Fleet::start(3, &etcd, guarded(60)).await;
    for index in 0..3 {
        fleet.fail(index, 25).await;
    }
    fleet.wait_until_served_by("blue").await;
    fleet.assert_sound().await;
}

#[tokio::test]
async fn the_sequential_guard_judges_the_requests_of_all_together() {
    let etcd = Etcd::start().await;
    let rollout = json!({
        "weights": { "blue": 50, "green": 50 },
        "guard": { "sequential": {} },
        "sticky": [{ "header": "x-user-id" }],
    });
    let fleet = Fleet::start(3, &etcd, config(rollout)).await;
    let demo = [("rollout", "demo")];
    let user = |i: u64| {
        let user = format!("user-{i}");
        let request = get("/").header("x-user-id", &user);
        match testbed::color("demo", &user, 50_000) {
            "green" => request.header("x-test-status", "500"),
            _ => request,
        }
    };
    let rolled_back = || async {
        fleet.envoys[2]
            .metrics()
            .await
            .get("bluegreen_guard_state", &demo)
            == 2.0
    };
    let begin = Instant::now();
    let mut next = 0;
    while !rolled_back().await {
        assert!(begin.elapsed() < Duration::from_secs(30), "not rolled back");
        for envoy in &fleet.envoys {
            testbed::Load::to(envoy.addr())
                .count(10)
                .run(move |i| user(next + i))
                .await;
            next += 10;
        }
    }
    fleet.wait_until_served_by("blue").await;
}

#[tokio::test]
async fn a_ramp_goes_on_by_the_requests_of_all_and_everywhere_at_once() {
    let etcd = Etcd::start().await;
    let ramp = json!({
        "start": "2026-01-01T00:00:00Z",
        "steps": [{ "weight": 50, "hold": "1s", "min_requests": 60 }, { "weight": 100 }],
    });
    let rollout = json!({ "weights": { "blue": 100, "green": 0 }, "ramp": ramp });
    let fleet = Fleet::start(3, &etcd, config(rollout)).await;
    let green = [("rollout", "demo"), ("color", "green")];
    let weight = |envoy: usize, weight: f64| {
        let envoy = &fleet.envoys[envoy];
        envoy.wait_for_metric("bluegreen_weight_millipercent", &green, move |it| {
            it == weight
        })
    };
    for index in 0..3 {
        weight(index, 50_000.0).await;
    }
    // 50 of green by each are too few for it alone.
    for envoy in &fleet.envoys {
        send(envoy, 100, get("/")).await;
    }
    for index in 0..3 {
        weight(index, 100_000.0).await;
    }
    fleet.assert_sound().await;
}

/// The same filter with another content, so that Envoy takes it for another.
fn another_build() -> tempfile::NamedTempFile {
    let wasm = concat!(env!("CARGO_MANIFEST_DIR"), "/dist/bluegreen.wasm");
    let mut bytes = fs::read(wasm).expect("dist/bluegreen.wasm");
    // A custom section of five bytes that is called "next".
    bytes.extend([0, 5, 4]);
    bytes.extend(b"next");
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&bytes).expect("a file");
    file
}

#[tokio::test]
async fn a_verdict_outlives_an_upgrade_and_ends_with_its_configuration() {
    let etcd = Etcd::start().await;
    let mut fleet = Fleet::start(2, &etcd, guarded(20)).await;
    fleet.fail(1, 30).await;
    fleet.wait_until_served_by("blue").await;
    fleet.mend();

    let wasm = another_build();
    fleet.kill(0);
    let upgraded = fleet.builder("proxy-0").wasm(wasm.path()).start().await;
    let report = send(&upgraded, 50, get("/")).await;
    assert_eq!(report.served_by("blue"), 50, "{:?}", report.by_served_by());
    fleet.envoys.insert(0, upgraded);
    assert_eq!(fleet.green.count(), 0);

    // What concerns another field than the rollout's own changes nothing.
    let mut same = fleet.config.clone();
    same["version"] = "another".into();
    fleet.push(same).await;
    fleet.assert_served_by("blue").await;

    fleet.push(guarded(21)).await;
    fleet.wait_until_served_by("green").await;
    for envoy in &fleet.envoys {
        wait_for_state(envoy, 1).await;
    }
    fleet.fail_until_rolled_back(0).await;
    fleet.wait_until_served_by("blue").await;
    fleet.assert_sound().await;
}

#[tokio::test]
async fn a_verdict_reaches_only_those_who_have_its_configuration() {
    let etcd = Etcd::start().await;
    let mut fleet = Fleet::start(3, &etcd, guarded(20)).await;
    // Of other clusters, as it were: what is counted by it is nothing to the others.
    let mut newer = guarded(20);
    newer["rollouts"][0]["salt"] = "another".into();
    let pushed = fleet.envoys[0].push(newer.clone()).await;
    assert_eq!(pushed, testbed::PushOutcome::Accepted);
    fleet.fail(0, 40).await;
    wait_until_served_by(&fleet.envoys[0], "blue").await;
    fleet.mend();
    // All others have taken part in at least one exchange since: what is known then is known by this one as well.
    fleet.envoys.push(fleet.builder("proxy-3").start().await);
    fleet.wait_until_connected().await;
    for envoy in &fleet.envoys[1..] {
        assert_eq!(trips(envoy).await, 0.0);
        wait_until_served_by(envoy, "green").await;
    }
    // As soon as it is theirs, it holds for them.
    fleet.push(newer).await;
    fleet.wait_until_served_by("blue").await;
}
