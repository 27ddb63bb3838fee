//! What the exchange of many proxies costs an etcd, and how long a verdict takes to the last of them:
//! `bench-fleet [PROXIES [SECONDS]]`. The proxies run the filter's own exchange against a real etcd.

mod call_counts;
mod proxy;
mod store;
mod usage;

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bluegreen::Policy;
use serde_json::json;
use testbed::Etcd;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use crate::call_counts::CallCounts;
use crate::proxy::{Fleet, Seen};

const ROLLOUTS: usize = 5;
const JOINED_WITHIN: Duration = Duration::from_secs(60);
const ROLLED_BACK_WITHIN: Duration = Duration::from_secs(30);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| {
        let given = arguments.next();
        given.map_or(default, |text| text.parse().expect("a number"))
    };
    let (proxies, seconds) = (number(1_000), number(20));
    println!(
        "| proxies | members | health checks | exchanges/s | failed | p50 ms | p99 ms | sent kB/s | received kB/s | etcd's cores | of one member | etcd MiB | store MB/min | verdict to the last, s |"
    );
    println!("|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let set_ups = [
        (proxies / 10, 1, false),
        (proxies, 1, false),
        (proxies, 3, false),
        (proxies, 3, true),
    ];
    for (proxies, members, has_health_checks) in set_ups {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let set_up = LocalSet::new();
        set_up.block_on(
            &runtime,
            measure(proxies as usize, members, has_health_checks, seconds),
        );
    }
}

fn policy() -> Policy {
    let rollout = |index: usize| {
        json!({
            "name": format!("rollout-{index}"),
            "match": { "path_prefix": format!("/{index}/") },
            "clusters": { "blue": "blue", "green": "green" },
            "weights": { "blue": 50, "green": 50 },
            "guard": { "window": "30s", "min_requests": 100, "max_error_rate_over_stable": 5 },
        })
    };
    let config = json!({
        "fleet": { "cluster": "etcd", "prefix": "/bluegreen/bench" },
        "rollouts": (0..ROLLOUTS).map(rollout).collect::<Vec<_>>(),
    });
    Policy::parse(config.to_string().as_bytes()).expect("a configuration")
}

async fn measure(proxies: usize, members: usize, has_health_checks: bool, seconds: u64) {
    // As a machine that must not lose anything.
    let etcd = Etcd::builder()
        .members(members)
        .argument("--unsafe-no-fsync=false");
    let etcd = etcd.start().await;
    let fleet = Rc::new(Fleet {
        policy: policy(),
        members: etcd.endpoints(),
        calls: CallCounts::default(),
        start: Instant::now(),
        failing: Cell::new(None),
        has_health_checks,
    });
    let seen: Vec<Rc<Seen>> = (0..proxies).map(|_| Rc::default()).collect();
    let mut running = JoinSet::new();
    for (index, seen) in seen.iter().enumerate() {
        running.spawn_local(proxy::run(fleet.clone(), index, seen.clone()));
        // Nobody starts a thousand at one moment.
        sleep(Duration::from_millis(2)).await;
    }
    wait("all proxies have joined", JOINED_WITHIN, || {
        seen.iter()
            .all(|it| it.is_connected.get() && it.proxies.get() == proxies as u64)
    })
    .await;

    fleet.calls.take();
    let pids: Vec<u32> = (0..members).filter_map(|index| etcd.pid(index)).collect();
    let cpu = || pids.iter().map(|&pid| usage::cpu(pid)).collect::<Vec<_>>();
    let (cpu_before, stored_before, begin) = (cpu(), stored(&etcd).await, Instant::now());
    sleep(Duration::from_secs(seconds)).await;
    let (cpu_after, stored_after, elapsed) = (cpu(), stored(&etcd).await, begin.elapsed());
    let elapsed = elapsed.as_secs_f64();
    let mut calls = fleet.calls.take();
    let cores = cpu_after.iter().zip(&cpu_before);
    let cores: Vec<f64> = cores
        .map(|(after, before)| (*after - *before).as_secs_f64() / elapsed)
        .collect();
    let memory = pids.iter().map(|&pid| usage::memory_mib(pid)).max();

    let mut slowest = Duration::ZERO;
    for rollout in 0..ROLLOUTS {
        fleet.failing.set(Some(rollout));
        let tripped = |it: &Rc<Seen>| it.tripped.borrow()[rollout];
        wait("all proxies have rolled back", ROLLED_BACK_WITHIN, || {
            seen.iter().all(|it| tripped(it).is_some())
        })
        .await;
        let times = || seen.iter().filter_map(tripped);
        let (first, last) = (times().min(), times().max());
        slowest = slowest.max(
            last.zip(first)
                .map_or(Duration::ZERO, |(last, first)| last - first),
        );
        fleet.failing.set(None);
    }
    let (p50, p99) = (calls.latency_ms(50.0), calls.latency_ms(99.0));
    println!(
        "| {proxies} | {members} | {} | {:.0} | {} | {p50:.1} | {p99:.1} | {:.0} | {:.0} | {:.2} | {:.2} | {} | {:.1} | {:.2} |",
        if has_health_checks { "yes" } else { "no" },
        calls.latencies.len() as f64 / elapsed,
        calls.failed,
        calls.sent as f64 / elapsed / 1e3,
        calls.received as f64 / elapsed / 1e3,
        cores.iter().sum::<f64>(),
        cores.iter().copied().fold(0.0, f64::max),
        memory.unwrap_or(0),
        (stored_after - stored_before) / elapsed * 60.0 / 1e6,
        slowest.as_secs_f64(),
    );
}

/// The size of etcd's file, in bytes.
async fn stored(etcd: &Etcd) -> f64 {
    let status = etcd
        .client()
        .call("/v3/maintenance/status", json!({}))
        .await;
    let size = status["dbSize"].as_str().and_then(|size| size.parse().ok());
    size.expect("the size of the store")
}

async fn wait(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < limit, "{what}: not within {limit:?}");
        sleep(Duration::from_millis(10)).await;
    }
}
