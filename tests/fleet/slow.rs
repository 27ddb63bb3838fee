//! An etcd that is not gone, but slow: its answers come late, or after the time that a call has.

use std::time::Duration;

use serde_json::json;
use testbed::{Client, Etcd, Link, LinkState, Load, get};
use tokio::time::Instant;

use crate::fleet::{
    Fleet, config, guarded, outcomes, send, some_intervals, true_positive, wait_for_connected,
};

/// An answer comes after twice that time, and the first of a connection after three times.
const SLOW: LinkState = LinkState::Slow(Duration::from_millis(100));

/// Longer than a call may take: what it writes arrives, its answer is not waited for.
const TOO_SLOW: LinkState = LinkState::Slow(Duration::from_secs(1));

#[tokio::test]
async fn a_slow_etcd_brings_verdicts_and_neither_loses_requests_nor_counts_twice() {
    let etcd = Etcd::start().await;
    let link = Link::to(etcd.endpoints()[0]).await;
    link.set(SLOW);
    let guard = guarded(20)["rollouts"][0]["guard"].clone();
    let quality = json!({ "min_samples": 1_000_000, "max_f1_drop": 50 });
    let rollout = json!({
        "guard": guard,
        "quality": quality,
        "releases": { "blue": "1", "green": "2" },
    });
    let mut fleet = Fleet::start_at(2, vec![link.addr()], config(rollout), |envoy| envoy).await;
    let load = |envoy: &testbed::Envoy| {
        let load = Load::to(envoy.addr()).connections(2).per_second(20.0);
        load.start(|_| get("/"))
    };
    let loads: Vec<_> = fleet.envoys.iter().map(load).collect();
    assert_eq!(fleet.client(0).send(outcomes(3)).await.status, 204);
    fleet.wait_for_samples(3).await;
    for (round, samples) in [8, 13].into_iter().enumerate() {
        link.set(TOO_SLOW);
        send(&fleet.envoys[round], 5, true_positive()).await;
        for envoy in &fleet.envoys {
            wait_for_connected(envoy, false).await;
        }
        link.set(SLOW);
        fleet.wait_until_connected().await;
        fleet.wait_for_samples(samples).await;
    }
    some_intervals().await;
    fleet.wait_for_samples(13).await;
    for load in loads {
        let report = load.stop().await;
        assert_eq!(report.failed(), 0, "{:?}", report.by_status());
    }

    fleet.fail_until_rolled_back(1).await;
    fleet.wait_until_served_by("blue").await;
    fleet.mend();
    fleet.assert_newcomer_served_by("blue").await;
    fleet.assert_sound().await;
}

#[tokio::test]
async fn first_requests_wait_for_a_slow_etcd_for_a_second_at_most() {
    const SLACK: Duration = Duration::from_secs(2);
    let etcd = Etcd::start().await;
    let link = Link::to(etcd.endpoints()[0]).await;
    let fleet = Fleet::empty(vec![link.addr()], guarded(20), |envoy| envoy).await;
    for state in [SLOW, TOO_SLOW] {
        link.set(state);
        let envoy = fleet.builder("proxy-0").start().await;
        let begin = Instant::now();
        let first = Client::http1(envoy.addr()).get("/").await;
        let took = begin.elapsed();
        println!("{state:?}: the first request took {took:?}");
        assert_eq!((first.status, first.served_by()), (200, Some("green")));
        assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
    }
}
