//! Responses that Envoy may not hand to the filter.

use serde_json::{Value, json};
use testbed::{TestEnv, get, with};

use crate::common::{
    NO_RESPONSES, PROFILES, config, logged, to_green, wait_for_count, without_responses,
};
use crate::guarded::guard;

async fn start(policy: Value) -> TestEnv {
    TestEnv::start_with(|envoy| without_responses(envoy.config(policy)).concurrency(1)).await
}

/// At the first request, and never again.
async fn assert_said_once(policy: Value) {
    let env = start(policy).await;
    env.http1().get("/").await;
    let line = env.envoy.wait_for_log(NO_RESPONSES).await;
    for text in ["rollout demo: ", "allow proxy_on_response_headers"] {
        assert!(line.contains(text), "{line}");
    }
    let client = env.http2();
    for status in ["200", "500"].iter().cycle().take(10) {
        client.send(get("/").header("x-test-status", status)).await;
    }
    wait_for_count(&env, "bluegreen_failures_total", &[], 5).await;
    assert_eq!(logged(&env, NO_RESPONSES), 1);
}

#[tokio::test]
async fn lean_says_once_that_it_misses_them_where_a_feature_needs_them() {
    let new_cookie = json!({ "sticky": [{ "new_cookie": { "name": "id" } }] });
    let slow = guard(json!({ "slow_after": "1s", "max_slow_rate": 5 }));
    let quality = json!({ "quality": { "min_samples": 100, "min_f1": 80 } });
    for policy in [
        config("lean", new_cookie),
        config("lean", quality),
        config("lean", slow),
        with(
            config("lean", json!({})),
            json!({ "color_header": "x-bluegreen-color" }),
        ),
    ] {
        assert_said_once(policy).await;
    }
}

#[tokio::test]
async fn the_other_profiles_say_once_that_they_miss_them() {
    for profile in PROFILES.into_iter().filter(|it| *it != "lean") {
        assert_said_once(config(profile, json!({}))).await;
    }
}

#[tokio::test]
async fn lean_does_not_miss_them_where_no_feature_needs_them() {
    let env = start(config("lean", guard(json!({ "max_error_rate": 100 })))).await;
    // Envoy is asked about the first stream and about those that fail.
    for client in [env.http1(), env.http2()] {
        for status in ["200", "500", "404"] {
            client
                .send(to_green().header("x-test-status", status))
                .await;
        }
    }
    wait_for_count(&env, "bluegreen_failures_total", &[], 2).await;
    wait_for_count(&env, "bluegreen_guard_finished_total", &[], 6).await;
    assert_eq!(logged(&env, NO_RESPONSES), 0);
}
