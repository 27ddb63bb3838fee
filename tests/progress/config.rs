//! Contradictions, pushed live: each is rejected, with its place, and the configuration in force stays.

use serde_json::{Value, json};
use testbed::{PushOutcome, TestEnv};

use crate::common::{as_user, config, served_by, user_from, weights};

const START: &str = "2026-11-23T10:00:00Z";

/// Fields of a rollout that contradict each other, and the place that the log must name.
fn contradictions() -> Vec<(Value, &'static str)> {
    let ramp = |steps: Value| json!({ "ramp": { "start": START, "steps": steps } });
    let guard = |guard: Value| json!({ "guard": guard });
    let token = |sha256: &str| {
        let token = json!({ "header": "x-token", "sha256": sha256 });
        json!({ "override": { "header": "x-bluegreen", "require": { "token": token } } })
    };
    let slow = "800ms";
    vec![
        (
            ramp(json!([{ "weight": 50, "hold": "1m" }, { "weight": 49 }])),
            ".ramp.steps[1]",
        ),
        (
            ramp(json!([{ "weight": 5 }, { "weight": 50 }])),
            ".ramp.steps[0]",
        ),
        (
            ramp(json!([{ "weight": 5, "hold": "1m" }])),
            ".ramp.steps[0]",
        ),
        (ramp(json!([])), ".ramp.steps"),
        (
            json!({ "ramp": { "start": "tomorrow", "steps": [{ "weight": 5 }] } }),
            ".ramp.start",
        ),
        (
            guard(json!({ "window": "30s", "max_error_rate": 5 })),
            ".guard",
        ),
        (
            guard(json!({ "window": "30s", "min_requests": 100 })),
            ".guard",
        ),
        (
            guard(
                json!({ "window": "30s", "min_requests": 9, "max_error_rate": 5, "slow_after": slow }),
            ),
            ".guard",
        ),
        (
            guard(json!({ "window": "30s", "min_requests": 9, "max_slow_rate": 5 })),
            ".guard",
        ),
        (token("open sesame"), ".override.require.token.sha256"),
        (token(&"a".repeat(63)), ".override.require.token.sha256"),
        (
            json!({ "override": { "header": "x-bluegreen" } }),
            ".override",
        ),
        (json!({ "override": { "require": "nothing" } }), ".override"),
    ]
}

#[tokio::test]
async fn contradictions_are_rejected_and_the_config_in_force_stays() {
    let env = TestEnv::start(config(json!({ "weights": weights(50) }))).await;
    let client = env.http1().connection_per_request();
    for (nth, (fields, place)) in (1..).zip(contradictions()) {
        let shown = fields.to_string();
        let outcome = env.envoy.push(config(fields)).await;
        assert_eq!(outcome, PushOutcome::Rejected, "{shown}");
        for (user, color) in [(user_from(50), "green"), (user_from(51), "blue")] {
            assert_eq!(served_by(&client, as_user(&user)).await, color, "{shown}");
        }
        let log = env.envoy.log();
        let said: Vec<&str> = log
            .lines()
            .filter_map(|line| line.split_once("config rejected, the one in force stays: "))
            .map(|(_, said)| said)
            .collect();
        assert_eq!(said.len(), nth, "{shown}");
        let expected = format!("rollouts[0]{place}");
        assert!(
            said[nth - 1].starts_with(&expected),
            "{shown}: {}",
            said[nth - 1]
        );
    }
    // What stands for a digest may be the secret itself.
    assert!(!env.envoy.log().contains("open sesame"));
    env.assert_no_vm_died().await;
}
