//! From one profile to another while Envoy serves.

use serde_json::json;
use testbed::{Behavior, Load, PATIENCE, RunningLoad, TestEnv, eventually, get};
use tokio::task::JoinSet;

use crate::common::{
    NO_RESPONSES, NOT_SIGNALLED, as_user, config, logged, to_green, user_of, wait_for_count,
};
use crate::guarded::{assert_rolled_back, counting, guard, wait_for_rollback, watched};
use crate::workload::arrived;

/// Waits until so many more requests were begun.
async fn wait_for_load(load: &RunningLoad, more: u64) {
    let enough = load.sent() + more;
    let sent = || async {
        match load.sent() {
            sent if sent >= enough => Ok(()),
            sent => Err(sent.to_string()),
        }
    };
    eventually("more load", PATIENCE, sent).await;
}

#[tokio::test]
async fn pushes_between_profiles_under_load_lose_no_request_and_no_count() {
    let is_failing = |i: u64| i.is_multiple_of(10);
    let env = TestEnv::start(config("full", counting())).await;
    let load = Load::to(env.envoy.addr()).connections(32).start(move |i| {
        let status = if is_failing(i) { "500" } else { "200" };
        as_user(&format!("user-{i}")).header("x-test-status", status)
    });
    for _ in 0..4 {
        for profile in ["lean", "signalled", "full"] {
            env.push(config(profile, counting())).await;
            wait_for_load(&load, 200).await;
        }
    }
    let report = load.stop().await;
    for outcome in &report.outcomes {
        let expected = if is_failing(outcome.index) { 500 } else { 200 };
        assert_eq!((outcome.status, outcome.cut), (Some(expected), false));
        assert!(outcome.served_by.is_some(), "{outcome:?}");
    }
    env.assert_all_workers_took_connections().await;
    let failing = report.outcomes.iter().filter(|it| is_failing(it.index));
    let failed = failing.count() as u64;
    wait_for_count(&env, "bluegreen_requests_total", &[], report.sent()).await;
    wait_for_count(&env, "bluegreen_guard_finished_total", &[], report.sent()).await;
    wait_for_count(&env, "bluegreen_failures_total", &[], failed).await;
    wait_for_count(&env, "bluegreen_in_flight", &[], 0).await;
    for text in [NOT_SIGNALLED, NO_RESPONSES] {
        assert_eq!(logged(&env, text), 0, "{text}");
    }
    env.assert_no_vm_died().await;
}

#[tokio::test]
async fn a_stream_is_counted_by_the_profile_that_it_began_in() {
    let env = TestEnv::start(config("full", counting())).await;
    let mut under_way = JoinSet::new();
    for profile in ["full", "lean", "signalled", "full", "lean"] {
        env.push(config(profile, counting())).await;
        for client in [env.http1(), env.http2()] {
            let path = format!("/{}", under_way.len());
            let request = get(&path)
                .header("x-user-id", user_of("green"))
                .header("x-test-hang", "1")
                .header("x-envoy-upstream-rq-timeout-ms", "2000");
            under_way.spawn(async move { client.send(request).await.status });
            arrived(&env, &path).await;
        }
    }
    let statuses = under_way.join_all().await;
    assert!(statuses.iter().all(|&status| status == 504), "{statuses:?}");
    wait_for_count(&env, "bluegreen_failures_total", &[], 10).await;
    wait_for_count(&env, "bluegreen_guard_finished_total", &[], 10).await;
    for (name, labels) in [
        ("bluegreen_responses_total", &[("code_class", "5xx")][..]),
        ("bluegreen_responses_total", &[]),
        ("bluegreen_request_duration_ms_count", &[]),
        ("bluegreen_response_start_ms_count", &[]),
    ] {
        wait_for_count(&env, name, labels, 6).await;
    }
    wait_for_count(&env, "bluegreen_in_flight", &[], 0).await;
}

#[tokio::test]
async fn a_rollback_stays_through_changes_of_the_profile() {
    let limit = || guard(json!({ "max_error_rate": 5 }));
    let env = watched("lean", limit(), |envoy| envoy).await;
    env.green.set(Behavior::status(500));
    let client = env.http1();
    for _ in 0..20 {
        client.send(to_green()).await;
    }
    wait_for_rollback(&env, "error_rate").await;
    for profile in ["signalled", "full", "lean"] {
        env.push(config(profile, limit())).await;
        assert_rolled_back(&env).await;
    }
    // It ends with the rollout's configuration.
    let changed = guard(json!({ "max_error_rate": 6 }));
    env.push(config("lean", changed)).await;
    assert_eq!(client.send(to_green()).await.served_by(), Some("green"));
}
