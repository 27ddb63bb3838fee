//! A failure is held against the weights under which its request began.

use serde_json::json;
use testbed::{Behavior, Ending, TestEnv, Upload};

use crate::common::{
    as_user, assert_harmless, config, finished, request_of, rollout, traffic, wait_for_finished,
    wait_for_rollback, watched_with, weights,
};

const HANGING: u64 = 300;

/// So many at a time: an upstream takes 200 streams on a connection, and refuses what Envoy sends beyond
/// before it knows.
const AT_A_TIME: u64 = 50;

/// Requests of as many users, on which both upstreams hang.
async fn hang(env: &TestEnv) -> Vec<Upload> {
    let before = env.blue.count() + env.green.count();
    let client = env.http2();
    let request = |i| as_user("moved", &format!("user-{i}")).header("x-test-hang", "1");
    let mut under_way = Vec::new();
    for i in 0..HANGING {
        under_way.push(client.complete(request(i)));
        let sent = i + 1;
        if sent % AT_A_TIME == 0 {
            let arrived = || async {
                match env.blue.count() + env.green.count() - before {
                    count if count >= sent => Ok(()),
                    count => Err(count.to_string()),
                }
            };
            testbed::eventually("all have arrived", testbed::PATIENCE, arrived).await;
        }
    }
    under_way
}

/// Most of them on green, whose failures come when hardly any request is green's.
#[tokio::test]
async fn time_outs_that_come_after_a_change_of_weights_are_no_rollback() {
    let at = |green| config([rollout("moved", json!({ "weights": weights(green) }))]);
    let env = watched_with(at(90), |envoy| {
        envoy.edit_bootstrap("timeout: 15s", "timeout: 6s")
    })
    .await;
    let under_way = hang(&env).await;
    env.push(at(10)).await;
    let load = traffic(&env).start(request_of("moved"));
    let mut timed_out = 0;
    for request in under_way {
        timed_out += u64::from(request.answer().await.status == 504);
    }
    assert_eq!(timed_out, HANGING);
    let served = load.stop().await.sent();
    assert!(finished(&env, "moved").await <= HANGING + served);
    wait_for_finished(&env, "moved", HANGING + served).await;
    assert_harmless(&env, "moved").await;

    env.green.set(Behavior::ending(Ending::CloseBefore));
    let load = traffic(&env).start(request_of("moved"));
    let found = wait_for_rollback(&env, "moved", "errors_sequential").await;
    // The time-outs were counted: all of the stable color's, and of the canary's as many as are told apart at once.
    let is_stable = |i: &u64| testbed::color("moved", format!("user-{i}"), 90_000) == "blue";
    let stable = (0..HANGING).filter(is_stable).count() as u64;
    assert!(found.stable >= stable && found.canary > 30, "{found:?}");
    load.stop().await;
    env.assert_no_vm_died().await;
}
