//! Moves on the file that an Envoy watches.

use std::fs;

use serde_json::json;
use testbed::{Load, TestEnv, get};

use crate::support::{admin, demo, run, run_in};

#[tokio::test]
async fn a_shift_is_in_force_when_the_program_ends() {
    let env = TestEnv::start(demo(0, json!({}))).await;
    for green in [100, 0] {
        let run = run(
            &env,
            &[
                "shift",
                "bluegreen.yaml",
                "demo",
                "--green",
                &green.to_string(),
            ],
        )
        .await;
        assert_eq!(run.code, 0, "{run:?}");
        let report = Load::to(env.envoy.addr()).count(50).run(|_| get("/")).await;
        assert_eq!(report.served_by("green"), green / 2);
    }
    let undone = run_in(env.envoy.dir(), &["undo", "bluegreen.yaml"]).await;
    assert_eq!(undone.code, 0, "{undone:?}");
    let weight = [("color", "green")];
    env.envoy
        .wait_for_metric("bluegreen_weight_millipercent", &weight, |it| {
            it == 100_000.0
        })
        .await;
}

#[tokio::test]
async fn a_file_that_envoy_does_not_watch_is_told() {
    let env = TestEnv::start(demo(0, json!({}))).await;
    let dir = env.envoy.dir();
    fs::copy(dir.join("bluegreen.yaml"), dir.join("copy.yaml")).expect("a copy");
    let args = ["shift", "copy.yaml", "--green", "5", "--timeout", "500ms"];
    let late = run(&env, &args).await;
    assert_eq!(late.code, 1, "{late:?}");
    assert!(
        late.err.contains("Envoy has not taken it up within 500ms"),
        "{late:?}"
    );
    let differs = run(&env, &args).await;
    assert_eq!(differs.code, 1, "{differs:?}");
    assert!(
        differs
            .err
            .contains("another configuration in force than the file"),
        "{differs:?}"
    );
}

#[tokio::test]
async fn a_swap_takes_the_weight_from_envoy() {
    let ramp = json!({
        "guard": { "window": "30s", "min_requests": 1, "max_error_rate": 5 },
        "ramp": { "start": "2026-01-01T00:00:00Z", "steps": [{ "weight": 25, "hold": "8760000h" }, { "weight": 100 }] },
    });
    let env = TestEnv::start(demo(10, ramp)).await;
    let run = run(&env, &["swap", "bluegreen.yaml"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.out
            .starts_with("demo: blue 75 %, green 25 %; no user moves; green is stable now;"),
        "{run:?}"
    );
    assert!(!admin(&env).is_empty());
}
