//! etcd that dies, hangs, forgets, is cut off or loses a member: each Envoy judges by itself meanwhile, and what happened
//! is merged.

use std::time::Duration;

use serde_json::json;
use testbed::{Etcd, Link, LinkState, get};
use tokio::time::Instant;

use crate::fleet::{
    Fleet, guarded, measured, outcomes, send, some_intervals, trips, true_positive,
    wait_for_connected, wait_until_served_by,
};

#[tokio::test]
async fn without_etcd_each_judges_by_itself_and_when_it_is_back_a_trip_wins() {
    let mut etcd = Etcd::start().await;
    let mut fleet = Fleet::start(3, &etcd, guarded(20)).await;
    etcd.kill(0);
    for envoy in &fleet.envoys {
        wait_for_connected(envoy, false).await;
    }
    fleet.fail_until_rolled_back(1).await;
    some_intervals().await;
    for index in [0, 2] {
        wait_until_served_by(&fleet.envoys[index], "green").await;
        assert_eq!(trips(&fleet.envoys[index]).await, 0.0);
    }
    etcd.restart(0).await;
    fleet.wait_until_served_by("blue").await;
    fleet.mend();

    // It has forgotten all, and is told anew by those who know.
    etcd.restart_empty().await;
    some_intervals().await;
    fleet.wait_until_connected().await;
    fleet.assert_newcomer_served_by("blue").await;
    fleet.assert_sound().await;
}

#[tokio::test]
async fn an_envoy_that_starts_without_etcd_serves_by_its_configuration_within_a_second() {
    let mut etcd = Etcd::start().await;
    let fleet = Fleet::empty(etcd.endpoints(), guarded(20), |envoy| envoy).await;
    for round in 0..2 {
        match round {
            0 => etcd.kill(0),
            _ => {
                etcd.restart(0).await;
                etcd.pause(0);
            }
        }
        let envoy = fleet.builder("proxy-0").start().await;
        let begin = Instant::now();
        let report = send(&envoy, 20, get("/")).await;
        assert_eq!(report.served_by("green"), 20, "{:?}", report.by_status());
        assert!(
            begin.elapsed() < Duration::from_secs(3),
            "{:?}",
            begin.elapsed()
        );
    }
    etcd.resume(0);
}

#[tokio::test]
async fn an_envoy_that_is_cut_off_judges_by_itself_and_learns_the_rest_later() {
    let etcd = Etcd::start().await;
    let link = Link::to(etcd.endpoints()[0]).await;
    let mut fleet = Fleet::start(2, &etcd, guarded(20)).await;
    let mut other = Fleet::start_at(0, vec![link.addr()], guarded(20), |envoy| envoy).await;
    let apart = other.builder("proxy-2").start().await;
    other.envoys.push(apart);
    for state in [LinkState::Hung, LinkState::Cut] {
        wait_for_connected(&other.envoys[0], true).await;
        link.set(state);
        wait_for_connected(&other.envoys[0], false).await;
        link.set(LinkState::Open);
    }
    wait_for_connected(&other.envoys[0], true).await;
    link.set(LinkState::Hung);
    wait_for_connected(&other.envoys[0], false).await;
    fleet.fail(0, 30).await;
    fleet.wait_until_served_by("blue").await;
    other.assert_served_by("green").await;
    link.set(LinkState::Open);
    other.wait_until_served_by("blue").await;
    fleet.envoys.append(&mut other.envoys);
    fleet.assert_sound().await;
}

#[tokio::test]
async fn what_was_counted_without_etcd_is_added_once() {
    let mut etcd = Etcd::start().await;
    let fleet = Fleet::start(2, &etcd, measured()).await;
    for envoy in &fleet.envoys {
        send(envoy, 10, true_positive()).await;
    }
    fleet.wait_for_samples(20).await;
    etcd.kill(0);
    for envoy in &fleet.envoys {
        wait_for_connected(envoy, false).await;
        send(envoy, 5, true_positive()).await;
    }
    etcd.restart(0).await;
    fleet.wait_until_connected().await;
    fleet.wait_for_samples(30).await;
    some_intervals().await;
    fleet.wait_for_samples(30).await;
    fleet.assert_sound().await;
}

#[tokio::test]
async fn one_of_three_members_is_not_missed_and_a_minority_decides_nothing() {
    let mut etcd = Etcd::builder().members(3).start().await;
    let fleet = Fleet::start(2, &etcd, measured()).await;
    let leader = etcd.leader().await;
    etcd.kill(leader);
    let mut told = 0;
    for envoy in &fleet.envoys {
        wait_for_connected(envoy, true).await;
    }
    while told < 5 {
        let answer = fleet.client(0).send(outcomes(1)).await;
        told += u64::from(answer.status == 204);
    }
    let second = etcd.leader().await;
    etcd.pause(second);
    for envoy in &fleet.envoys {
        wait_for_connected(envoy, false).await;
    }
    etcd.resume(second);
    etcd.restart(leader).await;
    fleet.wait_until_connected().await;
    for envoy in &fleet.envoys {
        let all = |samples| samples >= told as f64;
        let green = [("rollout", "demo"), ("color", "green")];
        let name = "bluegreen_quality_samples";
        envoy.wait_for_metric(name, &green, all).await;
    }
    fleet.assert_sound().await;
}

#[tokio::test]
async fn an_etcd_that_is_full_is_an_etcd_that_is_gone() {
    let etcd = Etcd::builder()
        .argument("--quota-backend-bytes=2000000")
        .start()
        .await;
    let fleet = Fleet::start(2, &etcd, guarded(20)).await;
    let filler = vec![b'x'; 500_000];
    let mut index = 0;
    while etcd
        .client()
        .try_put(&format!("/other/{index}"), &filler)
        .await
        .0
        == 200
    {
        index += 1;
    }
    for envoy in &fleet.envoys {
        wait_for_connected(envoy, false).await;
    }
    fleet.assert_served_by("green").await;
    fleet.fail_until_rolled_back(0).await;
    // As an operator makes room.
    let client = etcd.client();
    client.delete("/other/").await;
    client.compact().await;
    client.call("/v3/maintenance/defragment", json!({})).await;
    let alarms = client
        .call("/v3/maintenance/alarm", json!({ "action": "GET" }))
        .await;
    for alarm in alarms["alarms"].as_array().expect("alarms") {
        let member = &alarm["memberID"];
        let body = json!({ "action": "DEACTIVATE", "memberID": member, "alarm": "NOSPACE" });
        client.call("/v3/maintenance/alarm", body).await;
    }
    fleet.wait_until_served_by("blue").await;
    for envoy in &fleet.envoys {
        wait_for_connected(envoy, true).await;
    }
}
