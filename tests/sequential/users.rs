//! No single user rolls a release back; several do.

use serde_json::{Value, json};
use testbed::{Load, TestEnv};

use crate::common::{
    TRIPS, USERS, as_user, assert_harmless, config, finished, rollout, traffic, users_of,
    wait_for_finished, wait_for_rollback, wait_for_state, watched, weights,
};

/// Every other request is of one of these users, and fails.
fn broken(rollout: &str, users: &[String]) -> impl Fn(u64) -> testbed::Request + use<> {
    let (rollout, users) = (rollout.to_owned(), users.to_vec());
    move |i| {
        if i % 2 == 0 {
            return as_user(&rollout, &format!("user-{}", i * 37 % USERS));
        }
        let user = &users[i as usize / 2 % users.len()];
        as_user(&rollout, user).header("x-test-status", "500")
    }
}

async fn serve(load: Load, env: &TestEnv, rollout: &str, users: &[String], count: u64) {
    let before = finished(env, rollout).await;
    load.count(count).run(broken(rollout, users)).await;
    wait_for_finished(env, rollout, before + count).await;
}

#[tokio::test]
async fn one_user_who_retries_in_a_loop_is_no_rollback_and_three_are() {
    let env = watched(config([rollout("loop", json!({}))])).await;
    // Users who send nothing else, so that what fails is theirs alone.
    let users: Vec<String> = users_of("loop", "green", 10)
        .skip_while(|user| user.len() < "user-1000".len())
        .take(3)
        .collect();
    serve(traffic(&env), &env, "loop", &users[..1], 800).await;
    assert_harmless(&env, "loop").await;
    let load = traffic(&env).start(broken("loop", &users));
    let found = wait_for_rollback(&env, "loop", "errors_sequential").await;
    assert!(found.canary > 400 && found.stable == 0, "{found:?}");
    load.stop().await;
    env.assert_no_vm_died().await;
}

/// A limit of 5 %, of users instead of requests.
fn by_user() -> Value {
    let limits = json!({ "window": "10m", "min_requests": 100, "max_error_rate": 5 });
    let mut guard = json!({ "per_user": true });
    testbed::merge(&mut guard, limits);
    let mut limited = rollout("limited", json!({ "weights": weights(50) }));
    limited["guard"] = guard;
    limited
}

#[tokio::test]
async fn with_per_user_one_user_does_not_break_a_limit_and_several_do() {
    let env = watched(config([by_user()])).await;
    let users: Vec<String> = users_of("limited", "green", 50)
        .skip_while(|user| user.len() < "user-1000".len())
        .take(100)
        .collect();
    let load = Load::to(env.envoy.addr());
    serve(load.clone(), &env, "limited", &users[..1], 400).await;
    wait_for_state(&env, "limited", 0).await;
    let limited = [("rollout", "limited")];
    assert_eq!(env.envoy.metrics().await.get(TRIPS, &limited), 0.0);
    load.count(200).run(broken("limited", &users)).await;
    let labels = [limited[0], ("cause", "error_rate")];
    let once = |trips| trips == 1.0;
    env.envoy.wait_for_metric(TRIPS, &labels, once).await;
}
