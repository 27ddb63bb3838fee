//! A rollout that is gone while its streams are not.

use serde_json::json;
use testbed::{Upload, get};

use crate::common::{
    assert_stays, config, guard, send, trips, wait_for, wait_for_ends, watched, without_demo,
};

const FAILING: u64 = 30;
const WEIGHT: &str = "bluegreen_weight_millipercent";

#[tokio::test]
async fn a_rollout_that_was_removed_does_not_live_on_in_its_streams() {
    let with_demo = config(json!({ "guard": guard(json!({ "max_error_rate": 5 })) }));
    let env = watched(with_demo.clone(), |envoy| envoy).await;
    wait_for(&env, WEIGHT, 100_000.0).await;
    let client = env.http2();
    let lasting = client.complete(get("/").header("x-test-stall", "body"));
    let failing = get("/")
        .header("x-test-close", "middle")
        .header("x-test-chunks", "2")
        .header("x-test-chunk-delay-ms", "6000");
    let open: Vec<Upload> = (0..FAILING)
        .map(|_| client.complete(failing.clone()))
        .collect();
    env.green.wait_for_count(FAILING + 1).await;

    env.push(without_demo()).await;
    wait_for(&env, WEIGHT, 0.0).await;
    assert_stays(&env, WEIGHT, 0.0).await;
    for stream in open {
        assert_eq!(stream.answer().await.cut, client.sees_cuts());
    }
    wait_for(&env, "bluegreen_responses_total", FAILING as f64).await;
    assert_stays(&env, WEIGHT, 0.0).await;
    assert_eq!(trips(&env).await, 0.0);
    drop(lasting);
    wait_for_ends(&env, FAILING + 1).await;
    assert!(!env.envoy.log().contains("rollout demo: rolled back"));

    env.push(with_demo).await;
    env.wait_until_served_by("green", &get("/")).await;
    send(&env, 20, get("/"), 200).await;
    assert_stays(&env, WEIGHT, 100_000.0).await;
    assert_eq!(trips(&env).await, 0.0);
}
