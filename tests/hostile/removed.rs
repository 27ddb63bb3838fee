//! A rollout that is gone while one of its streams is not.

use serde_json::json;
use testbed::{TestEnv, Upload, Upstream, get};

use crate::common::{
    config, guard, look, send, trips, wait_for, wait_for_ends, watched, without_demo,
};

const OPEN: u64 = 30;

async fn weight(bed: &TestEnv) -> f64 {
    let demo = [("rollout", "demo")];
    let metrics = bed.envoy.metrics().await;
    metrics.get("bluegreen_weight_millipercent", &demo)
}

#[tokio::test]
async fn a_rollout_that_was_removed_does_not_live_on_in_its_streams() {
    let with_demo = config(json!({
        "clusters": { "blue": "blue", "green": "mortal" },
        "guard": guard(json!({ "max_error_rate": 5 })),
    }));
    let mortal = Upstream::start("mortal").await;
    let bed = watched(with_demo.clone(), |envoy| {
        let envoy = envoy.cluster("mortal", mortal.addr());
        envoy.edit_bootstrap("timeout: 15s", "timeout: 0s")
    })
    .await;
    assert_eq!(weight(&bed).await, 100_000.0);
    let client = bed.http2();
    let stalling = get("/").header("x-test-stall", "body");
    let open: Vec<Upload> = (0..OPEN)
        .map(|_| client.complete(stalling.clone()))
        .collect();
    mortal.wait_for_count(OPEN).await;

    bed.push(without_demo()).await;
    wait_for(&bed, "bluegreen_weight_millipercent", 0.0).await;
    drop(mortal);
    for stream in open {
        assert!(stream.answer().await.cut);
    }
    wait_for_ends(&bed, OPEN).await;
    // The guards, and all that shows weights, have looked since.
    look(&bed, without_demo()).await;
    assert_eq!((weight(&bed).await, trips(&bed).await), (0.0, 0.0));
    assert!(!bed.envoy.log().contains("rollout demo: rolled back"));

    let again = config(json!({ "guard": guard(json!({ "max_error_rate": 5 })) }));
    bed.push(again).await;
    bed.wait_until_served_by("green", &get("/")).await;
    send(&bed, 20, get("/"), 200).await;
    assert_eq!((weight(&bed).await, trips(&bed).await), (100_000.0, 0.0));
}
