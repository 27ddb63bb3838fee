//! `status` and `stats`.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use testbed::{Behavior, Load, TestEnv, eventually, get};

use crate::support::{Run, admin, demo, run, run_in};

fn guard() -> Value {
    json!({ "guard": { "window": "30s", "min_requests": 10, "max_error_rate": 5 } })
}

fn seconds_from_now(seconds: i64) -> String {
    let now = SystemTime::now();
    let shift = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 {
        now - shift
    } else {
        now + shift
    };
    humantime::format_rfc3339_millis(time).to_string()
}

fn ramp(start: &str, hold: &str) -> Value {
    json!({ "ramp": { "start": start, "steps": [{ "weight": 25, "hold": hold }, { "weight": 50 }] } })
}

#[track_caller]
fn ends_with(run: &Run, code: i32) {
    assert_eq!(run.code, code, "{run:?}");
}

#[tokio::test]
async fn healthy_then_rolled_back() {
    let env = TestEnv::start(demo(50, guard())).await;
    Load::to(env.envoy.addr())
        .count(100)
        .run(|_| get("/"))
        .await;
    let healthy = async || match run(&env, &["status"]).await {
        run if run.code == 0 && run.out.contains("demo     healthy  50 %   50 %  -\n") => Ok(()),
        run => Err(format!("{run:?}")),
    };
    eventually("healthy", Duration::from_secs(5), healthy).await;

    env.green.set(Behavior::status(503));
    Load::to(env.envoy.addr())
        .count(100)
        .run(|_| get("/"))
        .await;
    env.envoy
        .wait_for_metric("bluegreen_guard_state", &[], |state| state == 2.0)
        .await;
    let rolled_back = run(&env, &["status"]).await;
    ends_with(&rolled_back, 1);
    assert!(
        rolled_back
            .out
            .contains("demo     rolled back  100 %    0 %  -\n"),
        "{rolled_back:?}"
    );
    ends_with(&run(&env, &["status", "--wait"]).await, 1);
    let json = run(&env, &["status", "--output", "json"]).await;
    let report: Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(report["rolled_back"], true);
    assert_eq!(report["envoys"][0]["rollouts"][0]["state"], "rolled back");

    for command in ["promote", "pause", "resume", "swap"] {
        let refused = run(&env, &[command, "bluegreen.yaml"]).await;
        ends_with(&refused, 1);
        assert!(
            refused.err.contains("demo: it is rolled back"),
            "{refused:?}"
        );
    }
    let written = run(&env, &["rollback", "bluegreen.yaml"]).await;
    assert_eq!(
        written.out, "demo: blue 100 %, green 0 %; no user moves\n",
        "{written:?}"
    );
    let over = async || match run(&env, &["status", "--wait"]).await {
        run if run.code == 0 => Ok(()),
        run => Err(format!("{run:?}")),
    };
    eventually("the rollback is over", Duration::from_secs(5), over).await;
}

#[tokio::test]
async fn a_ramp_is_waited_for() {
    let env = TestEnv::start(demo(0, ramp(&seconds_from_now(-60), "1h"))).await;
    let under_way = run(&env, &["status"]).await;
    ends_with(&under_way, 0);
    assert!(
        under_way
            .out
            .contains("demo     ramping  75 %   25 %  1 of 2\n"),
        "{under_way:?}"
    );
    let late = run(&env, &["status", "--wait", "--timeout", "600ms"]).await;
    ends_with(&late, 2);
    assert!(late.out.ends_with("timed out\n"), "{late:?}");

    env.push(demo(0, ramp(&seconds_from_now(0), "2s"))).await;
    let done = run(&env, &["status", "--wait", "--timeout", "1m"]).await;
    ends_with(&done, 0);
    assert!(
        done.out.contains("demo     healthy  50 %   50 %  2 of 2\n"),
        "{done:?}"
    );
}

#[tokio::test]
async fn envoys_that_differ_are_told() {
    let (one, other) = (
        TestEnv::start(demo(10, json!({}))).await,
        TestEnv::start(demo(20, json!({}))).await,
    );
    let both = run(&one, &["status", "--admin", &admin(&other)]).await;
    ends_with(&both, 0);
    assert!(
        both.out
            .ends_with("these Envoys have different configurations in force\n"),
        "{both:?}"
    );
    ends_with(
        &run(
            &one,
            &[
                "status",
                "--admin",
                &admin(&other),
                "--wait",
                "--timeout",
                "600ms",
            ],
        )
        .await,
        2,
    );
}

#[tokio::test]
async fn one_rollout_alone() {
    let env = TestEnv::start(demo(10, json!({}))).await;
    ends_with(&run(&env, &["status", "--rollout", "demo"]).await, 0);
    ends_with(&run(&env, &["status", "--rollout", "other"]).await, 2);
}

#[tokio::test]
async fn what_is_no_envoy_is_told() {
    let env = TestEnv::start(demo(10, json!({}))).await;
    let address = format!("http://{}", env.blue.addr());
    let answer = run_in(env.envoy.dir(), &["status", "--admin", &address]).await;
    ends_with(&answer, 3);
    assert_eq!(
        answer.err,
        format!("bluegreen: {address}: what answers is no admin interface of Envoy\n")
    );
}

#[tokio::test]
async fn an_envoy_without_the_filter_is_told() {
    let env = TestEnv::start_with(|envoy| envoy.raw_config("{").without_waiting_for_config()).await;
    for command in ["status", "stats"] {
        let answer = run(&env, &[command]).await;
        ends_with(&answer, 1);
        assert!(
            answer
                .err
                .ends_with("this Envoy has not loaded the filter: its log says why\n"),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn stats_are_those_of_envoy() {
    let env = TestEnv::start(demo(25, json!({}))).await;
    Load::to(env.envoy.addr())
        .count(200)
        .run(|i| get("/").header("x-user-id", format!("user-{i}")))
        .await;
    env.envoy
        .wait_for_metric("bluegreen_responses_total", &[], |count| count == 200.0)
        .await;
    let answer = run(&env, &["stats"]).await;
    ends_with(&answer, 0);
    let metrics = env.envoy.metrics().await;
    for (line, color, weight) in [(1, "blue", "75"), (2, "green", "25")] {
        let cells: Vec<&str> = answer
            .out
            .lines()
            .nth(line)
            .expect("a line")
            .split_whitespace()
            .collect();
        let count = |name| metrics.get(name, &[("color", color)]).to_string();
        let requests = count("bluegreen_requests_total");
        let expected = [
            "demo", color, weight, &requests, "0", &requests, "0", "0", "0", "0", "0", "0",
        ];
        assert_eq!(cells[..12], expected, "{answer:?}");
    }
    assert!(
        answer
            .out
            .lines()
            .last()
            .is_some_and(|it| it.starts_with("unmatched 0, config fingerprint "))
    );
}
