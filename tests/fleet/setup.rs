//! The parts: etcd itself, the network before it, and Envoy's way to it by the shipped files.

use serde_json::{Value, json};
use testbed::{Client, Envoy, Etcd, Link, LinkState, PATIENCE, TestEnv, eventually};

async fn answers(etcd: &Etcd, member: usize) -> bool {
    let body = json!({ "key": "AA==" });
    let client = etcd.client_of(member);
    client.try_call("/v3/kv/range", &body).await.0 == 200
}

#[tokio::test]
async fn what_is_stored_outlives_a_member_and_not_an_empty_restart() {
    let mut etcd = Etcd::builder().members(3).start().await;
    let leader = etcd.leader().await;
    etcd.client().put("/a/1", "one").await;
    etcd.kill(leader);
    let next = etcd.leader().await;
    assert_ne!(next, leader);
    assert_eq!(etcd.client().get("/a/1").await, Some(b"one".to_vec()));
    etcd.restart(leader).await;
    assert!(answers(&etcd, leader).await);
    etcd.restart_empty().await;
    assert_eq!(etcd.client().range("/").await, [].into());
}

/// Serves nothing but what etcd's admin page of clusters shows.
async fn with_cluster(
    options: impl FnOnce(testbed::EnvoyBuilder) -> testbed::EnvoyBuilder,
) -> TestEnv {
    let config = json!({ "rollouts": [{
        "name": "demo",
        "clusters": { "blue": "blue", "green": "green" },
        "weights": { "blue": 100, "green": 0 },
    }] });
    TestEnv::start_with(|envoy| options(envoy.config(config))).await
}

async fn wait_for_healthy(envoy: &Envoy, members: u64) {
    let healthy = || async {
        match envoy.counter("cluster.etcd.membership_healthy").await {
            seen if seen == members => Ok(()),
            seen => Err(seen.to_string()),
        }
    };
    eventually("healthy members of etcd", PATIENCE, healthy).await;
}

#[tokio::test]
async fn envoy_leaves_out_members_that_die_hang_or_lack_a_majority() {
    let mut etcd = Etcd::builder().members(3).start().await;
    let env = with_cluster(|envoy| envoy.etcd(&etcd.endpoints())).await;
    wait_for_healthy(&env.envoy, 3).await;
    etcd.kill(0);
    wait_for_healthy(&env.envoy, 2).await;
    etcd.pause(1);
    // The third by itself has no majority.
    wait_for_healthy(&env.envoy, 0).await;
    etcd.resume(1);
    wait_for_healthy(&env.envoy, 2).await;
    etcd.restart(0).await;
    wait_for_healthy(&env.envoy, 3).await;
}

#[tokio::test]
async fn a_link_that_is_cut_or_hangs_lets_nothing_through_until_it_is_open() {
    let etcd = Etcd::start().await;
    let link = Link::to(etcd.endpoints()[0]).await;
    let env = with_cluster(|envoy| envoy.etcd(&[link.addr()])).await;
    for state in [LinkState::Cut, LinkState::Hung] {
        wait_for_healthy(&env.envoy, 1).await;
        link.set(state);
        wait_for_healthy(&env.envoy, 0).await;
        link.set(LinkState::Open);
    }
    wait_for_healthy(&env.envoy, 1).await;
}

#[tokio::test]
async fn etcd_asks_for_the_certificate_that_envoy_has() {
    let etcd = Etcd::builder().tls().start().await;
    let env = with_cluster(|envoy| envoy.etcd_tls(&etcd.endpoints(), etcd.certificates())).await;
    wait_for_healthy(&env.envoy, 1).await;
    let plain = with_cluster(|envoy| envoy.etcd(&etcd.endpoints())).await;
    wait_for_healthy(&plain.envoy, 0).await;
}

#[tokio::test]
async fn a_user_may_write_below_the_prefix_alone() {
    let mut etcd = Etcd::start().await;
    etcd.enable_auth("bluegreen", "secret", "/bluegreen/prod/")
        .await;
    let client = etcd.client().as_user("bluegreen", "secret");
    client.put("/bluegreen/prod/a", "1").await;
    let (status, _) = client.try_put("/other", "1").await;
    assert_eq!(status, 403);
    let nobody = Client::http1(etcd.own_endpoint());
    let healthy: Value = serde_json::from_slice(&nobody.get("/health").await.body).expect("JSON");
    assert_eq!(healthy["health"], "true");
}
