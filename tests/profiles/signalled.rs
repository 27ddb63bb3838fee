//! `signalled`: all that `full` shows, though Envoy is asked about few streams.

use std::collections::BTreeMap;

use testbed::{Client, Load, TestEnv, Upstream};
use tokio::task::JoinSet;

use crate::common::{
    NO_RESPONSES, NOT_SIGNALLED, PROFILES, as_user, config, logged, to_green, wait_for_count,
    wait_for_suspects,
};
use crate::guarded::counting;
use crate::workload;

type Shown = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// All that the filter shows, but for times, the configuration itself, and the signal.
async fn shown(env: &TestEnv) -> Shown {
    let is_meant = |name: &str| {
        name.starts_with("bluegreen_")
            && name != "bluegreen_config_fingerprint"
            && name != "bluegreen_signal_missed_total"
            && !name.ends_with("_ms_bucket")
            && !name.ends_with("_ms_sum")
    };
    let metrics = env.envoy.metrics().await;
    let samples = metrics.samples().iter().filter(|it| is_meant(&it.name));
    samples
        .map(|it| ((it.name.clone(), it.labels.clone()), it.value))
        .collect()
}

/// What a profile shows of the workload.
async fn shown_of_workload(profile: &str) -> Shown {
    let env = TestEnv::start(config(profile, counting())).await;
    workload::run(&env).await;
    wait_for_suspects(&env, workload::suspects()).await;
    workload::wait_for_streams(&env).await;
    workload::wait_for_verdicts(&env).await;
    for text in [NOT_SIGNALLED, NO_RESPONSES] {
        assert_eq!(logged(&env, text), 0, "{text}");
    }
    env.assert_no_vm_died().await;
    shown(&env).await
}

#[tokio::test]
async fn streams_that_end_in_every_way_count_as_in_full() {
    let (full, signalled) = tokio::join!(shown_of_workload("full"), shown_of_workload("signalled"));
    assert_eq!(signalled, full);
}

/// Each worker's signals are seen by the other, and streams are probed among those that are signalled.
#[tokio::test]
async fn counts_are_exact_while_both_workers_are_busy() {
    const REQUESTS: u64 = 3_000;
    const STATUSES: [(&str, &str); 5] = [
        ("200", "2xx"),
        ("503", "5xx"),
        ("204", "2xx"),
        ("404", "4xx"),
        ("302", "3xx"),
    ];
    let env = TestEnv::start(config("signalled", counting())).await;
    let report = Load::to(env.envoy.addr())
        .connections(32)
        .count(REQUESTS)
        .run(|i| {
            let (status, _) = STATUSES[i as usize % STATUSES.len()];
            as_user(&format!("user-{i}")).header("x-test-status", status)
        })
        .await;
    let each = REQUESTS / STATUSES.len() as u64;
    assert_eq!(report.failed(), each, "{:?}", report.by_status());
    env.assert_all_workers_took_connections().await;
    for (class, count) in [
        ("2xx", 2 * each),
        ("3xx", each),
        ("4xx", each),
        ("5xx", each),
    ] {
        let class = [("code_class", class)];
        wait_for_count(&env, "bluegreen_responses_total", &class, count).await;
    }
    wait_for_count(&env, "bluegreen_responses_total", &[], REQUESTS).await;
    wait_for_count(&env, "bluegreen_failures_total", &[], each).await;
    wait_for_count(&env, "bluegreen_guard_finished_total", &[], REQUESTS).await;
    wait_for_count(&env, "bluegreen_in_flight", &[], 0).await;
    assert_eq!(logged(&env, NOT_SIGNALLED), 0);
}

/// Each has its own signal, though nothing comes between them.
#[tokio::test]
async fn streams_that_end_at_the_same_moment_all_count() {
    const STREAMS: u64 = 20;
    for profile in PROFILES {
        let TestEnv { envoy, blue, green } = TestEnv::start(config(profile, counting())).await;
        let client = Client::http2(envoy.addr());
        let mut under_way = JoinSet::new();
        for _ in 0..STREAMS {
            let client = client.clone();
            let hanging = to_green().header("x-test-hang", "1");
            under_way.spawn(async move { client.send(hanging).await.status });
        }
        green.wait_for_count(STREAMS).await;
        drop(green);
        let statuses = under_way.join_all().await;
        assert!(statuses.iter().all(|&status| status == 503), "{statuses:?}");
        let green = Upstream::start("unused").await;
        let env = TestEnv { envoy, blue, green };
        wait_for_suspects(&env, STREAMS).await;
        wait_for_count(&env, "bluegreen_failures_total", &[], STREAMS).await;
        wait_for_count(&env, "bluegreen_guard_finished_total", &[], STREAMS).await;
    }
}
