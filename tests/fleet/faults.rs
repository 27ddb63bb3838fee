//! etcd that dies, hangs, forgets, is cut off or loses a member: requests are served as before, each Envoy judges by
//! itself meanwhile, and what happened is merged.

use std::time::Duration;

use serde_json::json;
use testbed::{Etcd, Link, LinkState, Load, Report, RunningLoad, get};
use tokio::time::{Instant, sleep};

use crate::fleet::{
    Fleet, INTERVAL, errors, guarded, measured, outcomes, send, trips, wait_for_connected,
    wait_until_served_by,
};

fn load(fleet: &Fleet) -> Vec<RunningLoad> {
    let to = |envoy: &testbed::Envoy| {
        let load = Load::to(envoy.addr()).connections(2).per_second(100.0);
        load.start(|_| get("/"))
    };
    fleet.envoys.iter().map(to).collect()
}

/// Requests end within this time, of a hundred all but one.
async fn p99(loads: Vec<RunningLoad>) -> Duration {
    let mut outcomes = Vec::new();
    for load in loads {
        let report = load.stop().await;
        assert_eq!(report.failed(), 0, "{:?}", report.by_status());
        outcomes.extend(report.outcomes);
    }
    Report { outcomes }.latency(99.0)
}

/// A condition that has to hold for some intervals has no end to wait for.
async fn some_intervals() {
    sleep(3 * INTERVAL).await;
}

#[tokio::test]
async fn no_request_is_lost_or_held_up_while_etcd_dies_hangs_and_comes_back() {
    let mut etcd = Etcd::start().await;
    let fleet = Fleet::start(3, &etcd, guarded(100)).await;
    let loads = load(&fleet);
    some_intervals().await;
    let before = p99(loads).await;

    let loads = load(&fleet);
    for round in 0..2 {
        match round {
            0 => etcd.kill(0),
            _ => etcd.pause(0),
        }
        for envoy in &fleet.envoys {
            wait_for_connected(envoy, false).await;
        }
        some_intervals().await;
        match round {
            0 => etcd.restart(0).await,
            _ => etcd.resume(0),
        }
        fleet.wait_until_connected().await;
    }
    etcd.restart_empty().await;
    some_intervals().await;
    fleet.wait_until_connected().await;
    let meanwhile = p99(loads).await;
    println!("99 of 100 requests within {before:?} before, {meanwhile:?} meanwhile");
    assert!(
        meanwhile < before + Duration::from_millis(25),
        "{meanwhile:?}, before {before:?}"
    );
    for envoy in &fleet.envoys {
        assert_eq!(trips(envoy).await, 0.0);
        assert!(errors(envoy).await > 0.0);
    }
    fleet.assert_sound().await;
}

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
    let newcomer = fleet.builder("proxy-new").start().await;
    let report = send(&newcomer, 50, get("/")).await;
    assert_eq!(report.served_by("blue"), 50, "{:?}", report.by_served_by());
    fleet.envoys.push(newcomer);
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
    let telling = |header: &str| get("/").header("x-test-response-header", header);
    let tp = || telling("x-bluegreen-outcome: tp");
    for envoy in &fleet.envoys {
        send(envoy, 10, tp()).await;
    }
    fleet.wait_for_samples(20).await;
    etcd.kill(0);
    for envoy in &fleet.envoys {
        wait_for_connected(envoy, false).await;
        send(envoy, 5, tp()).await;
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
