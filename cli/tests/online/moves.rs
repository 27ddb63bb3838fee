//! Moves on the file that an Envoy watches.

use std::fs;

use serde_json::json;
use testbed::{Load, PATIENCE, TestEnv, eventually, get};

use crate::support::{demo, run};

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
    let undone = run(&env, &["undo", "bluegreen.yaml"]).await;
    assert_eq!(undone.code, 0, "{undone:?}");
    let report = Load::to(env.envoy.addr()).count(50).run(|_| get("/")).await;
    assert_eq!(report.served_by("green"), 50);
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
    let differs = run(&env, &["swap", "copy.yaml"]).await;
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
}

#[tokio::test]
async fn a_ramp_that_waits_is_paused_resumed_and_promoted() {
    let ramp = json!({
        "guard": { "window": "30s", "min_requests": 1_000_000, "max_error_rate": 5 },
        "ramp": {
            "start": "2026-01-01T00:00:00Z",
            "steps": [{ "weight": 25, "hold": "1s" }, { "weight": 50, "hold": "1s" }, { "weight": 100 }],
        },
    });
    let env = TestEnv::start(demo(10, ramp)).await;
    let shows = async |state: &str| {
        let shown = async || match run(&env, &["status"]).await {
            run if words(&run.out).ends_with(state) => Ok(()),
            run => Err(format!("{run:?}")),
        };
        eventually(state, PATIENCE, shown).await;
    };
    let made = async |command: &str, answer: &str| {
        let run = run(&env, &[command, "bluegreen.yaml"]).await;
        assert_eq!(
            (run.code, run.out.as_str()),
            (0, answer),
            "{command}: {run:?}"
        );
    };
    shows("waiting 75 % 25 % 1 of 3").await;
    made("pause", "demo: blue 75 %, green 25 %; no user moves\n").await;
    shows("paused 75 % 25 % 1 of 4").await;
    made(
        "resume",
        "demo: blue 75 %, green 25 %; no user moves; 3 steps are left\n",
    )
    .await;
    shows("waiting 75 % 25 % 1 of 3").await;
    made(
        "promote",
        "demo: blue 50 %, green 50 %; 25 % of users move from blue to green; 2 steps are left\n",
    )
    .await;
    shows("waiting 50 % 50 % 1 of 2").await;
    made(
        "promote",
        "demo: blue 0 %, green 100 %; 50 % of users move from blue to green; this is the ramp's last step: the ramp is \
         taken out\n",
    )
    .await;
    assert_eq!(run(&env, &["swap", "bluegreen.yaml"]).await.code, 0);
}

/// A text with one blank between its words.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_ramp_that_waits_for_copies_is_paused_and_resumed_for_nobody_and_promoted() {
    let waiting = json!({
        "shadow": { "percent": 100, "min_requests": 1_000 },
        "ramp": {
            "start": "2026-01-01T00:00:00Z",
            "steps": [{ "weight": 25, "hold": "8760000h" }, { "weight": 100 }],
        },
    });
    let env = TestEnv::start(demo(0, waiting)).await;
    for (command, answer) in [
        ("pause", "demo: blue 100 %, green 0 %; no user moves\n"),
        ("resume", "demo: blue 100 %, green 0 %; no user moves\n"),
        (
            "promote",
            "demo: blue 75 %, green 25 %; 25 % of users move from blue to green; 2 steps are left; requests are no \
             longer copied: shadow is taken out\n",
        ),
    ] {
        let waits = |value| value == 1.0;
        let labels = [("rollout", "demo")];
        env.envoy
            .wait_for_metric("bluegreen_ramp_waiting", &labels, waits)
            .await;
        let run = run(&env, &[command, "bluegreen.yaml"]).await;
        assert_eq!(
            (run.code, run.out.as_str()),
            (0, answer),
            "{command}: {run:?}"
        );
    }
    let report = Load::to(env.envoy.addr())
        .count(400)
        .run(|_| get("/"))
        .await;
    assert!(report.served_by("green") > 0, "{:?}", report.by_served_by());
}
