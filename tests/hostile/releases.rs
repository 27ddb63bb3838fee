//! Requests of one release that end under the next.

use serde_json::{Value, json};
use testbed::{TestEnv, Upload, Upstream, get};

use crate::common::{
    config, guard, look, send, strict, trips, wait_for, wait_for_ends, wait_for_rollback,
    wait_for_state, watched,
};

/// Streams that are open while a change comes.
const OPEN: u64 = 40;

/// Requests that go well after it.
const GOOD: u64 = 144;

fn on(cluster: &str, fields: Value) -> Value {
    let mut all = json!({
        "clusters": { "blue": "blue", "green": cluster },
        "guard": guard(json!({ "max_error_rate": 5 })),
    });
    testbed::merge(&mut all, fields);
    config(all)
}

/// Two more clusters, `v2` and `v3`, with no time-out.
async fn start(config: Value) -> (TestEnv, Upstream, Upstream) {
    let [v2, v3] = [Upstream::start("v2").await, Upstream::start("v3").await];
    let env = watched(config, |envoy| {
        let envoy = envoy.cluster("v2", v2.addr()).cluster("v3", v3.addr());
        envoy.edit_bootstrap("timeout: 15s", "timeout: 0s")
    })
    .await;
    (env, v2, v3)
}

/// Responses that have begun and do not end.
async fn open_streams(env: &TestEnv, upstream: &Upstream) -> Vec<Upload> {
    let client = env.http2();
    let stalling = get("/").header("x-test-stall", "body");
    let streams = (0..OPEN).map(|_| client.complete(stalling.clone()));
    let streams = streams.collect();
    upstream.wait_for_count(OPEN).await;
    streams
}

/// What is open breaks off with its upstream, after good requests under the new configuration, and is not held
/// against that.
async fn assert_change_leaves_the_past_behind(before: Value, after: Value) {
    let (env, v2, _v3) = start(before).await;
    let open = open_streams(&env, &v2).await;
    env.push(after.clone()).await;
    send(&env, GOOD, get("/"), 200).await;
    wait_for_state(&env, 0).await;
    drop(v2);
    for stream in open {
        assert_eq!(stream.answer().await.cut, env.http2().sees_cuts());
    }
    wait_for_ends(&env, OPEN + GOOD).await;
    look(&env, after).await;
    assert_eq!(trips(&env).await, 0.0);
}

#[tokio::test]
async fn streams_of_an_old_cluster_are_not_held_against_the_new_one() {
    let [before, after] = ["v2", "v3"].map(|cluster| on(cluster, json!({})));
    assert_change_leaves_the_past_behind(before, after).await;
}

#[tokio::test]
async fn streams_of_an_old_release_are_not_held_against_the_new_one() {
    let of = |release: &str| on("v2", json!({ "releases": { "green": release } }));
    assert_change_leaves_the_past_behind(of("2026-10"), of("2026-11")).await;
}

#[tokio::test]
async fn streams_of_users_drawn_by_an_old_salt_are_not_held_against_the_new_ones() {
    let of = |salt: &str| on("v2", json!({ "salt": salt }));
    assert_change_leaves_the_past_behind(of("one"), of("another")).await;
}

#[tokio::test]
async fn requests_of_a_hanging_release_are_not_held_against_the_repaired_one() {
    let of = |release: &str| {
        let release = json!({ "green": release });
        on("v2", json!({ "releases": release, "guard": strict() }))
    };
    let (env, v2, _v3) = start(of("hanging")).await;
    let client = env.http2();
    let request = get("/").header("x-test-hang", "1");
    let hanging: Vec<Upload> = (0..OPEN)
        .map(|_| client.complete(request.clone()))
        .collect();
    v2.wait_for_count(OPEN).await;
    wait_for_rollback(&env, "slow_rate").await;

    env.push(of("repaired")).await;
    env.wait_until_served_by("v2", &get("/")).await;
    send(&env, GOOD, get("/"), 200).await;
    wait_for_state(&env, 0).await;
    drop(v2);
    for request in hanging {
        assert_eq!(request.answer().await.status, 503);
    }
    wait_for(&env, "bluegreen_in_flight", 0.0).await;
    look(&env, of("repaired")).await;
    assert_eq!(trips(&env).await, 1.0);
}

/// The rollout is as it was, but for the share of users who see it.
#[tokio::test]
async fn streams_that_a_change_of_weights_comes_upon_still_count() {
    let before = on("v2", json!({}));
    let after = on("v2", json!({ "weights": { "blue": 50, "green": 50 } }));
    let (env, v2, _v3) = start(before).await;
    let open = open_streams(&env, &v2).await;
    env.push(after).await;
    drop(v2);
    for stream in open {
        assert_eq!(stream.answer().await.cut, env.http2().sees_cuts());
    }
    wait_for_rollback(&env, "error_rate").await;
}
