//! How the filter learns a response's class: by an expression that Envoy compiles, else by properties.

use serde_json::{Value, json};
use testbed::{TestEnv, merge};

use crate::common::{as_user, client_per_worker, config, user_from};

/// What the upstream answers, and the class that it is counted in.
const ANSWERS: [(&str, &str); 3] = [("200", "2xx"), ("404", "4xx"), ("500", "5xx")];

/// In the profile that asks Envoy about each stream.
fn policy(version: u32) -> Value {
    let mut policy = config(json!({}));
    let fields = json!({ "profile": "full", "version": version.to_string() });
    merge(&mut policy, fields);
    policy
}

/// Each worker counts each answer in its class, without a capability, and after two pushes too.
async fn assert_counted_without(capability: &str) {
    let env = TestEnv::start_with(|envoy| envoy.config(policy(1)).withhold(capability)).await;
    // These clients have sent requests to blue.
    let workers = client_per_worker(&env).await;
    let green = [("rollout", "demo"), ("color", "green")];
    for version in 1..=3 {
        if version > 1 {
            env.push(policy(version)).await;
        }
        for worker in &workers {
            for (status, _) in ANSWERS {
                let request = as_user(&user_from(1)).header("x-test-status", status);
                assert_eq!(worker.send(request).await.status.to_string(), status);
            }
        }
        let of_each = f64::from(version) * workers.len() as f64;
        let all = of_each * ANSWERS.len() as f64;
        let name = "bluegreen_responses_total";
        env.envoy.wait_for_metric(name, &green, |n| n == all).await;
        let metrics = env.envoy.metrics().await;
        for (_, class) in ANSWERS {
            let counted = metrics.get(name, &[green[0], green[1], ("code_class", class)]);
            assert_eq!(counted, of_each, "{class} with version {version}");
        }
    }
}

/// Envoy forgets an expression together with the configuration that had it compiled.
#[tokio::test]
async fn each_configuration_has_an_expression_that_tells_the_class() {
    assert_counted_without("proxy_get_property").await;
}

#[tokio::test]
async fn properties_tell_the_class_where_there_is_no_expression() {
    assert_counted_without("proxy_call_foreign_function").await;
}
