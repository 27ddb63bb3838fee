//! A million outcomes while requests flow.

use serde_json::{Value, json};
use testbed::{Load, get};
use tokio::time::Instant;

use crate::common::{config, counted, feedback, rollout, start, wait_for_figures};

const BATCHES: u64 = 1_000;
const ITEMS: usize = 1_000;
const BATCHES_PER_SECOND: f64 = 100.0;
const REQUESTS: u64 = 10_000;
const REQUESTS_PER_SECOND: f64 = 1_000.0;

/// One outcome an item; of 1,000, green has 400 / 30 / 20 / 50 and blue 380 / 40 / 30 / 50.
fn batch() -> String {
    let shares = [
        ("green", "tp", 400),
        ("green", "fp", 30),
        ("green", "fn", 20),
        ("green", "tn", 50),
        ("blue", "tp", 380),
        ("blue", "fp", 40),
        ("blue", "fn", 30),
        ("blue", "tn", 50),
    ];
    let items = shares.into_iter().flat_map(|(color, kind, count)| {
        vec![json!({ "rollout": "rec", "color": color, kind: 1 }); count]
    });
    let items: Vec<Value> = items.collect();
    assert_eq!(items.len(), ITEMS);
    json!(items).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_outcomes_are_taken_without_loss_while_requests_flow() {
    let env = start(config([rollout("rec")])).await;
    let load = |connections, per_second, count| {
        let load = Load::to(env.envoy.addr()).connections(connections);
        load.per_second(per_second).count(count)
    };
    let batch = feedback(batch());
    let begun = Instant::now();
    let (batches, requests) = tokio::join!(
        load(8, BATCHES_PER_SECOND, BATCHES).run(move |_| batch.clone()),
        load(32, REQUESTS_PER_SECOND, REQUESTS).run(|_| get("/rec/")),
    );
    let seconds = begun.elapsed().as_secs_f64();

    // A busy machine may take longer; what it reached is for the reader to judge.
    for (what, report) in [("batches", &batches), ("requests", &requests)] {
        let (rate, median) = (report.sent() as f64 / seconds, report.latency(50.0));
        println!("{what}: {rate:.0} a second for {seconds:.1} s, median latency {median:?}");
    }
    assert_eq!(batches.by_status(), [(204, BATCHES)].into());
    assert_eq!(requests.by_status(), [(200, REQUESTS)].into());
    assert_eq!(requests.failed(), 0);
    assert_eq!(env.blue.count() + env.green.count(), REQUESTS);

    env.assert_all_workers_took_connections().await;
    let metrics = env.envoy.metrics().await;
    let expected = [("green", [400, 30, 20, 50]), ("blue", [380, 40, 30, 50])];
    for (color, each) in expected {
        let all = each.map(|count: u64| count * BATCHES);
        assert_eq!(counted(&metrics, "rec", color), all, "{color}");
        wait_for_figures(&env, "rec", color, all).await;
    }
    env.assert_no_vm_died().await;
}
