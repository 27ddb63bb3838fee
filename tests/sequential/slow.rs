//! `"slow_after": "auto"`: a canary that is slower is found with no threshold.

use std::time::{Duration, Instant};

use serde_json::json;
use testbed::Behavior;

use crate::common::{
    assert_harmless, config, request_of, rollout, traffic, upstreams, wait_for_rollback,
    watched_with, weights, with_clusters,
};

/// Its slowest fifth is slower, all others are as fast as the stable color's.
#[tokio::test]
async fn a_canary_that_is_slower_at_the_95th_percentile_is_rolled_back_and_an_equal_one_is_not() {
    const NAMES: [&str; 2] = ["slower", "alike"];
    let greens = upstreams(NAMES).await;
    let rollouts = NAMES.map(|name| {
        let sequential = json!({ "tolerance": 0, "false_alarm_every": "1d" });
        let fields = json!({
            "clusters": { "blue": "blue", "green": name },
            "weights": weights(50),
            "guard": { "sequential": sequential, "slow_after": "auto" },
        });
        rollout(name, fields)
    });
    let env = watched_with(config(rollouts), |envoy| {
        with_clusters(envoy, &NAMES, &greens)
    })
    .await;
    greens[0].set_percent(20.0, Behavior::slow(Duration::from_millis(500)));
    let begin = Instant::now();
    let loads = NAMES.map(|name| {
        let load = traffic(&env).per_second(100.0).connections(32);
        load.start(request_of(name))
    });
    let found = wait_for_rollback(&env, "slower", "slow_sequential").await;
    println!("slower: {found:?} after {:?}", begin.elapsed());
    for load in loads {
        load.stop().await;
    }
    env.envoy
        .wait_for_log("rollout alike: a response is slow after ")
        .await;
    assert_harmless(&env, "alike").await;
    env.assert_no_vm_died().await;
}
