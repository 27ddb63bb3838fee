//! The quality gate where the profile is `lean`.

use serde_json::{Value, json};
use testbed::{TestEnv, post};

use crate::common::{NO_RESPONSES, logged, rollout, to_green, wait_for_count};
use crate::guarded::wait_for_rollback;

fn counts(color: &str, tp: u64, fp: u64) -> Value {
    json!({ "rollout": "demo", "color": color, "tp": tp, "fp": fp })
}

async fn tell(env: &TestEnv, items: Value) {
    for client in [env.http1(), env.http2()] {
        let response = client.send(post("/feedback", items.to_string())).await;
        assert_eq!((response.status, response.text().as_str()), (204, ""));
    }
}

#[tokio::test]
async fn feedback_counts_and_rolls_back() {
    let limit =
        json!({ "quality": { "min_samples": 100, "confidence": "none", "min_precision": 80 } });
    let policy = json!({
        "profile": "lean",
        "feedback": { "path": "/feedback", "require": "nothing" },
        "rollouts": [rollout("demo", limit)],
    });
    let env = TestEnv::start_with(|envoy| {
        envoy
            .config(policy)
            .allow("proxy_on_request_body")
            .allow("proxy_on_request_trailers")
    })
    .await;
    tell(
        &env,
        json!([counts("blue", 90, 10), counts("green", 45, 5)]),
    )
    .await;
    for (color, samples) in [("blue", 200), ("green", 100)] {
        let color = [("color", color)];
        wait_for_count(&env, "bluegreen_quality_samples", &color, samples).await;
        wait_for_count(&env, "bluegreen_quality_precision_ppm", &color, 900_000).await;
    }
    assert_eq!(
        env.http1().send(to_green()).await.served_by(),
        Some("green")
    );

    tell(&env, json!([counts("green", 5, 45)])).await;
    let line = wait_for_rollback(&env, "quality").await;
    assert!(
        line.contains("min_precision 80 % is broken: 50 %"),
        "{line}"
    );
    assert_eq!(env.blue.count_path("/feedback"), 0);
    assert_eq!(logged(&env, NO_RESPONSES), 0);
    env.assert_no_vm_died().await;
}
