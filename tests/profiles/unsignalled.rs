//! Profiles that go by Envoy's access log, where it is missing, counts elsewhere, or falls silent.

use std::ops::RangeInclusive;

use bluegreen::Signal;
use serde_json::json;
use testbed::{Client, EnvoyBuilder, Feature, TestEnv};

use crate::common::{
    BY_SIGNAL, NEVER_SIGNALLED, NOT_SIGNALLED, config, failing, logged, to_green, wait_for_count,
};
use crate::guarded::{counting, guard, wait_for_rollback, watched};
use crate::workload;

/// Lets the admin page change what the access log takes for suspect.
const ADMIN_LAYER: &str = "layered_runtime: { layers: [{ name: admin, admin_layer: {} }] }";

const FINISHED: &str = "bluegreen_guard_finished_total";
const FAILURES: &str = "bluegreen_failures_total";

/// Where Envoy can count.
fn counting_elsewhere(envoy: EnvoyBuilder) -> EnvoyBuilder {
    if !Feature::Signal.is_there() {
        return envoy;
    }
    envoy.edit_bootstrap(
        "stats_scope: { prefix: wasmcustom.bluegreen }",
        "stats_scope: { prefix: wasmcustom.elsewhere }",
    )
}

fn without_access_log(envoy: EnvoyBuilder) -> EnvoyBuilder {
    envoy.without_signal()
}

async fn fail(client: &Client, count: u64) {
    for _ in 0..count {
        assert_eq!(client.send(failing()).await.status, 500);
    }
}

async fn failures(env: &TestEnv) -> f64 {
    let demo = [("rollout", "demo")];
    env.envoy.metrics().await.get(FAILURES, &demo)
}

/// Workers that found a stream which was not signaled.
async fn missed(env: &TestEnv) -> f64 {
    let name = "bluegreen_signal_missed_total";
    env.envoy.metrics().await.get(name, &[])
}

/// So many workers have found out by their streams that these are not signaled. Where Envoy can't signal any, all
/// knew from the configuration.
async fn assert_noticed(env: &TestEnv, workers: RangeInclusive<usize>) {
    let lines = logged(env, NOT_SIGNALLED);
    if Feature::Signal.is_there() {
        assert!(workers.contains(&lines), "{lines} lines");
        assert_eq!(missed(env).await, lines as f64);
        assert_eq!(logged(env, NEVER_SIGNALLED), 0);
    } else {
        assert_eq!(lines, 0);
        assert!(logged(env, NEVER_SIGNALLED) > 0);
    }
}

/// Each worker says so at most once, and no stream is missed, be it before or after.
async fn assert_made_up_for(profile: &str, options: fn(EnvoyBuilder) -> EnvoyBuilder) {
    let policy = config(profile, counting());
    let env = TestEnv::start_with(|envoy| options(envoy.config(policy))).await;
    workload::run(&env).await;
    workload::wait_for_verdicts(&env).await;
    if profile == "signalled" {
        workload::wait_for_streams(&env).await;
    }
    assert_noticed(&env, 1..=2).await;
    env.assert_no_vm_died().await;
}

#[tokio::test]
async fn an_access_log_that_is_missing_is_noticed_and_made_up_for() {
    for profile in BY_SIGNAL {
        assert_made_up_for(profile, without_access_log).await;
    }
}

#[tokio::test]
async fn an_access_log_that_counts_elsewhere_is_noticed_and_made_up_for() {
    for profile in BY_SIGNAL {
        assert_made_up_for(profile, counting_elsewhere).await;
    }
}

#[tokio::test]
async fn green_that_fails_everything_is_rolled_back_without_an_access_log() {
    let limit = || guard(json!({ "max_error_rate": 5 }));
    let options = |envoy| without_access_log(envoy).concurrency(1);
    for profile in BY_SIGNAL {
        let env = watched(profile, limit(), options).await;
        fail(&env.http1(), 20).await;
        let line = wait_for_rollback(&env, "error_rate").await;
        assert!(line.contains("20 of 20 requests"), "{line}");
        assert_noticed(&env, 1..=1).await;
    }
}

/// However long all went well before.
#[tokio::test]
async fn green_that_comes_to_fail_is_rolled_back_without_an_access_log() {
    const GOOD: u64 = 300;
    let limit = || guard(json!({ "max_error_rate": 5 }));
    let options = |envoy| counting_elsewhere(envoy).concurrency(1);
    for profile in BY_SIGNAL {
        let env = watched(profile, limit(), options).await;
        let client = env.http1();
        for _ in 0..GOOD {
            assert_eq!(client.send(to_green()).await.status, 200);
        }
        assert_eq!(logged(&env, NOT_SIGNALLED), 0);
        fail(&client, 20).await;
        wait_for_rollback(&env, "error_rate").await;
        wait_for_count(&env, FAILURES, &[], 20).await;
        assert_noticed(&env, 1..=1).await;
    }
}

/// One stream in 64 is tested, and two that were not signaled end the reliance. What one worker finds, the
/// other learns.
#[tokio::test]
async fn an_access_log_that_falls_silent_is_noticed_and_all_workers_learn_of_it() {
    const PROBE: u64 = Signal::STREAMS_PER_PROBE as u64;
    for profile in BY_SIGNAL {
        let policy = config(profile, counting());
        let env = TestEnv::start_with(|envoy| envoy.config(policy).extra_yaml(ADMIN_LAYER)).await;
        let (workers, mut sent) = env.client_per_worker(&failing()).await;
        wait_for_count(&env, FAILURES, &[], sent).await;
        if !Feature::Signal.is_there() {
            assert_noticed(&env, 0..=0).await;
            continue;
        }
        // No code is suspect any more.
        env.envoy
            .admin_post("/runtime_modify?bluegreen.suspect_from=1000")
            .await;

        let [finder, learner] = &workers;
        const PROBES: u64 = Signal::MAX_MISSES as u64 * PROBE;
        fail(finder, PROBES).await;
        sent += PROBES;
        wait_for_count(&env, FINISHED, &[], sent).await;
        assert!(failures(&env).await < sent as f64, "it is not silent");
        assert_eq!((missed(&env).await, logged(&env, NOT_SIGNALLED)), (1.0, 1));

        // What was signalled before makes it look at one stream more.
        fail(learner, 1).await;
        sent += 1;
        wait_for_count(&env, FINISHED, &[], sent).await;
        let before = failures(&env).await;
        // Within a few ticks, long before a test of its own.
        for _ in 0..PROBE {
            fail(learner, 1).await;
            sent += 1;
            wait_for_count(&env, FINISHED, &[], sent).await;
            if failures(&env).await > before {
                break;
            }
        }
        fail(learner, 20).await;
        let after = before as u64 + 21;
        wait_for_count(&env, FAILURES, &[], after).await;
        assert_eq!((missed(&env).await, logged(&env, NOT_SIGNALLED)), (1.0, 1));
    }
}
