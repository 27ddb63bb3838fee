//! Outcomes that were answered with 204 are stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Client, Etcd, PATIENCE, eventually, post};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::fleet::{FEEDBACK, Fleet, config, measured, outcomes, wait_for_samples};

#[tokio::test]
async fn outcomes_count_for_all_wherever_they_were_told() {
    let etcd = Etcd::start().await;
    let fleet = Fleet::start(3, &etcd, measured()).await;
    for (index, count) in [3, 20, 100].into_iter().enumerate() {
        let answer = fleet.client(index).send(outcomes(count)).await;
        assert_eq!((answer.status, answer.text()), (204, String::new()));
    }
    fleet.wait_for_samples(123).await;
    fleet.assert_sound().await;
}

#[tokio::test]
async fn outcomes_outlive_an_envoy_that_dies_as_soon_as_it_has_answered() {
    let etcd = Etcd::start().await;
    let mut fleet = Fleet::start(2, &etcd, measured()).await;
    let mut told = 0;
    for round in 1..=3 {
        let answer = fleet.client(1).send(outcomes(round)).await;
        fleet.kill(1);
        assert_eq!(answer.status, 204);
        told += round;
        wait_for_samples(&fleet.envoys[0], told).await;
        fleet.start_again(1).await;
        // They are its predecessor's, and counted once.
        fleet.wait_for_samples(told).await;
    }
    fleet.assert_sound().await;
}

#[tokio::test]
async fn the_gate_judges_the_outcomes_of_all_together() {
    let etcd = Etcd::start().await;
    let quality = json!({ "min_samples": 60, "min_f1": 50, "confidence": "none" });
    let fleet = Fleet::start(3, &etcd, config(json!({ "quality": quality }))).await;
    let items = |color: &str, fields: Value| {
        testbed::with(json!({ "rollout": "demo", "color": color }), fields)
    };
    let told = json!([
        items("blue", json!({ "tp": 25 })),
        items("green", json!({ "tp": 5, "fp": 20 })),
    ]);
    for index in 0..3 {
        let answer = fleet
            .client(index)
            .send(post(FEEDBACK, told.to_string()))
            .await;
        assert_eq!(answer.status, 204);
    }
    fleet.wait_until_served_by("blue").await;
}

/// What was told so far.
#[derive(Debug, Default)]
struct Told {
    /// Answered with 204.
    taken: AtomicU64,
    /// Without an answer: perhaps taken, perhaps not.
    unknown: AtomicU64,
    is_over: AtomicBool,
}

const ITEMS: u64 = 200;

/// Tells outcomes to Envoys that die, one after the other.
async fn tell(addrs: Vec<std::net::SocketAddr>, told: Arc<Told>) {
    let item = json!({ "rollout": "demo", "color": "green", "tp": 1 });
    let batch = Value::Array(vec![item; ITEMS as usize]).to_string();
    let clients: Vec<Client> = addrs.into_iter().map(Client::http1).collect();
    for client in clients.iter().cycle() {
        if told.is_over.load(Ordering::Relaxed) {
            return;
        }
        match client.try_send(post(FEEDBACK, batch.clone())).await {
            Ok(answer) if answer.status == 204 => told.taken.fetch_add(ITEMS, Ordering::Relaxed),
            // Where nobody listens, nothing was told.
            Err(error) if error.is_connect() => 0,
            // Refused, or it broke off.
            _ => told.unknown.fetch_add(ITEMS, Ordering::Relaxed),
        };
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn no_outcome_is_lost_while_envoys_and_members_die() {
    let mut etcd = Etcd::builder().members(3).start().await;
    let mut fleet = Fleet::start(3, &etcd, measured()).await;
    let told = Arc::new(Told::default());
    let mut tellers = JoinSet::new();
    for _ in 0..4 {
        let addrs = fleet.envoys.iter().map(testbed::Envoy::addr).collect();
        tellers.spawn(tell(addrs, told.clone()));
    }
    let taken = |more: u64| {
        let told = told.clone();
        let from = told.taken.load(Ordering::Relaxed);
        async move {
            let taken = || async {
                match told.taken.load(Ordering::Relaxed) - from {
                    seen if seen >= more => Ok(()),
                    seen => Err(format!("{seen} more outcomes")),
                }
            };
            eventually(&format!("{more} more outcomes"), 4 * PATIENCE, taken).await;
        }
    };
    taken(30_000).await;
    let leader = etcd.leader().await;
    etcd.kill(leader);
    taken(20_000).await;
    fleet.kill(2);
    taken(20_000).await;
    etcd.restart(leader).await;
    fleet.kill(1);
    taken(20_000).await;
    let follower = (etcd.leader().await + 1) % 3;
    etcd.kill(follower);
    taken(10_000).await;
    told.is_over.store(true, Ordering::Relaxed);
    tellers.join_all().await;
    // Those who start in place of the dead know it all.
    fleet.start_again(1).await;
    fleet.start_again(2).await;
    let least = told.taken.load(Ordering::Relaxed);
    let most = least + told.unknown.load(Ordering::Relaxed);
    println!("{least} outcomes were taken, at most {most}");
    let green = [("rollout", "demo"), ("color", "green")];
    for envoy in &fleet.envoys {
        let all = |samples| samples >= least as f64;
        let name = "bluegreen_quality_samples";
        let seen = envoy.wait_for_metric(name, &green, all).await;
        assert!(seen <= most as f64, "{seen}, at most {most}");
    }
    fleet.assert_sound().await;
}
