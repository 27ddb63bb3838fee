//! What a client says of copies and labels counts for nothing.

use crate::common::*;
use serde_json::json;
use testbed::{TestEnv, get};

const MARKS: [&str; 3] = ["true", "shadow", "green"];

#[tokio::test]
async fn a_client_can_not_forge_a_copy() {
    let plain = json!({ "shadow": null });
    let rollouts = [
        rollout("none", plain),
        rollout("tenth", json!({ "shadow": { "percent": 0 } })),
    ];
    let rollouts: Vec<_> = rollouts
        .into_iter()
        .map(|mut it| {
            let fields = it.as_object_mut().expect("a rollout");
            fields.retain(|_, value| !value.is_null());
            it
        })
        .collect();
    // Also where the header is not removed before the filter.
    let env = TestEnv::start_with(|envoy| {
        envoy
            .edit_bootstrap("              - remove: x-bluegreen-shadow\n", "")
            .config(config(rollouts))
    })
    .await;
    let client = env.http1();
    for path in ["/none", "/tenth", "/elsewhere"] {
        for mark in MARKS {
            let request = get(path)
                .header("x-bluegreen-shadow", mark)
                .header("x-bluegreen-shadow", "true")
                .header("x-bluegreen-label", "a")
                .header("x-user-id", "u1");
            let response = client.send(request).await;
            assert_eq!((response.status, response.served_by()), (200, Some("blue")));
            assert_eq!(env.blue.last().header("x-bluegreen-shadow"), None);
        }
    }
    let metrics = env.envoy.metrics().await;
    let requests = metrics.get("bluegreen_requests_total", &[("color", "blue")]);
    assert_eq!(requests, 6.0);
    assert_eq!(metrics.get(REQUESTS, &[]), 0.0);
    assert_eq!(metrics.get(COPIED, &[]), 0.0);
    assert_eq!(env.green.count(), 0);
}

#[tokio::test]
async fn a_copy_that_no_rollout_wants_reaches_no_upstream() {
    let env = TestEnv::start(config([rollout("all", json!({}))])).await;
    let listener = testbed::Client::http1(env.envoy.listener("shadow"));
    assert_eq!(listener.send(get("/elsewhere")).await.status, 404);
    let cluster = get("/elsewhere").header("x-bluegreen-cluster", "blue");
    assert_eq!(listener.send(cluster).await.status, 404);
    assert_eq!((env.blue.count(), env.green.count()), (0, 0));
    // A copy is never copied.
    assert_eq!(
        listener.send(request("all", 1)).await.served_by(),
        Some("green")
    );
    wait_for_copies(&env, "all", 1).await;
    assert_eq!((env.blue.count(), env.green.count()), (0, 1));
}
