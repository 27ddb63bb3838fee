//! Who speaks: names that two share, clocks that differ, passwords, certificates, and keys that nobody knows.

use serde_json::json;
use testbed::{EnvoyBuilder, Etcd, with};

use crate::clock::Clock;
use crate::fleet::{
    Fleet, PREFIX, errors, guarded, measured, outcomes, trips, wait_for_connected,
    wait_until_served_by,
};

#[tokio::test]
async fn two_of_one_name_are_told_apart_and_reported() {
    let etcd = Etcd::start().await;
    let mut fleet = Fleet::start(1, &etcd, measured()).await;
    let twin = fleet.builder("proxy-0").start().await;
    fleet.envoys.push(twin);
    fleet.wait_until_connected().await;
    for (index, count) in [7, 50].into_iter().enumerate() {
        assert_eq!(fleet.client(index).send(outcomes(count)).await.status, 204);
    }
    fleet.wait_for_samples(57).await;
    let reported = || async {
        let is_report = |envoy: &testbed::Envoy| {
            let log = envoy.log();
            let mut lines = log.lines();
            lines.any(|line| line.contains("node id") && line.contains("proxy-0"))
        };
        let is_reported = fleet.envoys.iter().any(is_report);
        is_reported
            .then_some(())
            .ok_or("no line about the node id".to_owned())
    };
    testbed::eventually("a report of the name", testbed::PATIENCE, reported).await;
    fleet.assert_sound().await;
}

#[tokio::test]
async fn clocks_that_are_a_minute_apart_neither_trip_nor_blind() {
    let etcd = Etcd::start().await;
    let mut fleet = Fleet::start(1, &etcd, guarded(60)).await;
    let clocks = [Clock::new(), Clock::new()];
    for ((clock, ahead), node) in clocks.iter().zip([60, -60]).zip(["proxy-1", "proxy-2"]) {
        clock.step_to(ahead);
        fleet
            .envoys
            .push(clock.of(fleet.builder(node)).start().await);
    }
    fleet.wait_until_connected().await;
    for index in 0..2 {
        fleet.fail(index, 25).await;
    }
    for envoy in &fleet.envoys {
        assert_eq!(trips(envoy).await, 0.0);
    }
    fleet.fail(2, 25).await;
    fleet.wait_until_served_by("blue").await;
    fleet.assert_sound().await;
}

const PASSWORD: &str = "a-password-that-nobody-may-see";

fn with_password(envoy: EnvoyBuilder) -> EnvoyBuilder {
    let runtime = "        runtime: envoy.wasm.runtime.v8\n";
    let environment = "        environment_variables: { host_env_keys: [ETCD_PASSWORD] }\n";
    envoy
        .edit_plugin(runtime, &format!("{runtime}{environment}"))
        .variable("ETCD_PASSWORD", PASSWORD)
}

#[tokio::test]
async fn a_user_with_the_least_rights_takes_part_and_comes_back_when_its_token_is_revoked() {
    let mut etcd = Etcd::start().await;
    etcd.enable_auth("bluegreen", PASSWORD, &format!("{PREFIX}/"))
        .await;
    let mut config = guarded(20);
    let auth = json!({ "auth": { "user": "bluegreen", "password_env": "ETCD_PASSWORD" } });
    config["fleet"] = with(config["fleet"].clone(), auth);
    let fleet = Fleet::start_at(2, etcd.endpoints(), config.clone(), with_password).await;
    let before = errors(&fleet.envoys[0]).await;
    etcd.revoke_tokens("bluegreen", PASSWORD).await;
    let noticed = |seen| seen > before;
    fleet.envoys[0]
        .wait_for_metric("bluegreen_fleet_errors_total", &[], noticed)
        .await;
    fleet.wait_until_connected().await;
    fleet.fail_until_rolled_back(0).await;
    fleet.wait_until_served_by("blue").await;

    // One with a wrong password serves by itself, and says so.
    let stranger = Fleet::empty(etcd.endpoints(), config, with_password).await;
    let envoy = stranger
        .builder("proxy-9")
        .variable("ETCD_PASSWORD", "wrong-secret");
    let envoy = envoy.start().await;
    wait_for_connected(&envoy, false).await;
    wait_until_served_by(&envoy, "green").await;
    for envoy in fleet.envoys.iter().chain([&envoy]) {
        let log = envoy.log();
        assert!(
            !log.contains(PASSWORD) && !log.contains("wrong-secret"),
            "{log}"
        );
    }
    fleet.assert_sound().await;
}

#[tokio::test]
async fn a_verdict_is_shared_over_tls() {
    let etcd = Etcd::builder().tls().start().await;
    let mut fleet = Fleet::empty(Vec::new(), guarded(20), |envoy| envoy).await;
    for node in ["proxy-0", "proxy-1"] {
        let envoy = fleet.builder(node);
        let envoy = envoy.etcd_tls(&etcd.endpoints(), etcd.certificates());
        fleet.envoys.push(envoy.start().await);
    }
    fleet.wait_until_connected().await;
    fleet.fail(0, 30).await;
    fleet.wait_until_served_by("blue").await;
    fleet.assert_sound().await;
}

#[tokio::test]
async fn garbage_below_the_prefix_is_skipped_and_counted() {
    let etcd = Etcd::start().await;
    let mut fleet = Fleet::start(2, &etcd, guarded(60)).await;
    let client = etcd.client();
    let stored = client.range(PREFIX).await;
    assert!(!stored.is_empty(), "nothing is stored");
    let before = errors(&fleet.envoys[0]).await + errors(&fleet.envoys[1]).await;
    let huge = vec![b'['; 1_000_000];
    let values: [&[u8]; 6] = [
        b"",
        b"\xff\xfe\0",
        b"{\"version\":99}",
        b"null",
        b"{\"v\":-1}",
        &huge,
    ];
    for (index, value) in values.into_iter().enumerate() {
        // Beside each key that there is, and keys that nobody knows.
        for key in stored.keys() {
            client.put(&format!("{key}{index}"), value).await;
        }
        client
            .put(&format!("{PREFIX}/unknown/{index}"), value)
            .await;
        client.put(&format!("{PREFIX}{index}"), value).await;
    }
    // In place of what they wrote themselves as well.
    for value in values {
        for key in stored.keys() {
            client.put(key, value).await;
        }
    }
    let newcomer = fleet.builder("proxy-2").start().await;
    fleet.envoys.push(newcomer);
    for envoy in &fleet.envoys {
        wait_for_connected(envoy, true).await;
        assert_eq!(trips(envoy).await, 0.0);
    }
    fleet.assert_served_by("green").await;
    fleet.fail_until_rolled_back(2).await;
    fleet.wait_until_served_by("blue").await;
    let mut after = 0.0;
    for envoy in &fleet.envoys {
        after += errors(envoy).await;
    }
    assert!(after > before, "{after} errors, before {before}");
    fleet.assert_sound().await;
}
