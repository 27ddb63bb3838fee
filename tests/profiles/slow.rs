//! Slow responses where the profile is `lean`: for them the filter has to see responses.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Behavior, TestEnv};

use crate::common::{NO_RESPONSES, logged, to_green, wait_for_count};
use crate::guarded::{guard, wait_for_rollback, wait_for_state, watched};

async fn lean(limits: Value) -> TestEnv {
    watched("lean", guard(limits), |envoy| envoy).await
}

#[tokio::test]
async fn green_that_is_slow_is_rolled_back() {
    let env = lean(json!({ "slow_after": "50ms", "max_slow_rate": 20 })).await;
    env.green.set(Behavior::slow(Duration::from_millis(150)));
    let client = env.http2();
    let slow = async || {
        for _ in 0..5 {
            client.send(to_green()).await;
        }
    };
    tokio::join!(slow(), slow(), slow(), slow());
    let line = wait_for_rollback(&env, "slow_rate").await;
    assert!(line.contains("20 of 20 requests"), "{line}");
    wait_for_count(&env, "bluegreen_failures_total", &[], 0).await;
    assert_eq!(logged(&env, NO_RESPONSES), 0);
}

#[tokio::test]
async fn green_that_hangs_is_rolled_back_while_its_requests_wait() {
    let limits = json!({ "min_requests": 4, "slow_after": "300ms", "max_slow_rate": 20 });
    let env = lean(limits).await;
    let client = env.http1();
    let hang = || {
        let request = to_green().header("x-test-hang", "1");
        client.leave_before_response(request, std::future::pending())
    };
    let noticed = async {
        wait_for_state(&env, 2).await;
        wait_for_count(&env, "bluegreen_guard_finished_total", &[], 0).await;
        wait_for_rollback(&env, "slow_rate").await;
    };
    tokio::select! {
        () = noticed => {}
        _ = async { tokio::join!(hang(), hang(), hang(), hang()) } => unreachable!("they hang"),
    }
}

#[tokio::test]
async fn a_long_body_is_not_slow() {
    let limits = json!({ "min_requests": 5, "slow_after": "1s", "max_slow_rate": 0 });
    let env = lean(limits).await;
    let client = env.http2();
    let long = || {
        let request = to_green()
            .header("x-test-chunks", "4")
            .header("x-test-chunk-delay-ms", "500");
        client.send(request)
    };
    tokio::join!(long(), long(), long(), long());
    wait_for_count(&env, "bluegreen_guard_finished_total", &[], 4).await;
    client
        .send(to_green().header("x-test-delay-ms", "1200"))
        .await;
    let line = wait_for_rollback(&env, "slow_rate").await;
    assert!(line.contains("1 of 5 requests"), "{line}");
}
