//! A canary that fails more often than the stable color is rolled back.

use std::time::Instant;

use serde_json::json;
use testbed::{Behavior, Code, TestEnv};

use crate::common::{
    as_user, assert_harmless, config, evidence, request_of, rollout, traffic, upstreams, users_of,
    wait_for_rollback, wait_for_state, watched, watched_with, weights, with_clusters,
};

const ERRORS: &str = "errors_sequential";

/// Each at a path of its own, with an upstream of its own for green. One request in a hundred fails on blue.
#[tokio::test]
async fn canaries_that_fail_always_or_now_and_then_are_rolled_back() {
    const NAMES: [&str; 3] = ["half", "tenth", "twentieth"];
    let greens = upstreams(NAMES).await;
    let rollouts = NAMES.map(|name| {
        let sequential = json!({ "tolerance": 0, "false_alarm_every": "1h" });
        let clusters = json!({ "blue": "blue", "green": name });
        let weights = weights(50);
        let fields =
            json!({ "clusters": clusters, "weights": weights, "guard": { "sequential": sequential } });
        rollout(name, fields)
    });
    let env = watched_with(config(rollouts), |envoy| {
        with_clusters(envoy, &NAMES, &greens)
    })
    .await;
    env.blue.set_percent(1.0, Behavior::status(500));
    for (green, percent) in greens.iter().zip([50.0, 10.0, 5.0]) {
        green.set_percent(percent, Behavior::status(500));
    }
    let begin = Instant::now();
    // 200 requests a second in all.
    let loads = NAMES.map(|name| {
        let each = 200.0 / NAMES.len() as f64;
        traffic(&env).per_second(each).start(request_of(name))
    });
    for name in NAMES {
        let found = wait_for_rollback(&env, name, ERRORS).await;
        println!("{name}: {found:?} after {:?}", begin.elapsed());
        assert!(found.canary > found.stable, "{name}: {found:?}");
    }
    for load in loads {
        load.stop().await;
    }
    env.assert_no_vm_died().await;
}

/// With the default of one false alarm a year, at 10 %.
async fn assert_outage_is_found(env: TestEnv) {
    let user = users_of("all", "green", 10).next().expect("a user");
    let client = env.http1();
    for cause in [ERRORS, "slow_sequential"] {
        assert_eq!(evidence(&env, "all", cause).await, 0.0);
    }
    assert_eq!(client.send(as_user("all", &user)).await.status, 200);
    wait_for_state(&env, "all", 0).await;
    assert_harmless(&env, "all").await;
    env.green.set(Behavior::status(503));
    let begin = Instant::now();
    let load = traffic(&env).start(request_of("all"));
    let found = wait_for_rollback(&env, "all", ERRORS).await;
    println!("all: {found:?} after {:?}", begin.elapsed());
    assert_eq!(found.stable, 0);
    load.stop().await;
    env.assert_no_vm_died().await;
}

#[tokio::test]
async fn a_canary_that_fails_always_is_rolled_back() {
    let env = watched(config([rollout("all", json!({}))])).await;
    assert_outage_is_found(env).await;
}

#[tokio::test]
async fn in_lean_a_canary_that_fails_always_is_rolled_back() {
    let mut lean = config([rollout("all", json!({}))]);
    lean["profile"] = json!("lean");
    assert_outage_is_found(watched(lean).await).await;
}

#[tokio::test]
async fn a_canary_whose_grpc_calls_fail_is_rolled_back() {
    let calls = json!({
        "match": { "path_prefix": "/grpc.health.v1.Health" },
        "weights": weights(50),
    });
    let env = watched(config([rollout("calls", calls)])).await;
    env.green.set(Behavior::grpc_status(Code::Unavailable));
    let client = env.grpc();
    let mut unavailable = 0;
    let users = users_of("calls", "blue", 50).zip(users_of("calls", "green", 50));
    for (blue, green) in users.take(150) {
        for user in [blue, green] {
            let reply = client.check("any", &[("x-user-id", &user)]).await;
            unavailable += u64::from(reply.code == Code::Unavailable);
        }
    }
    assert!((1..=150).contains(&unavailable), "{unavailable}");
    wait_for_state(&env, "calls", 2).await;
    let log = env.envoy.log();
    assert!(
        log.contains("rollout calls: rolled back to blue: errors_sequential: "),
        "{log}"
    );
}
