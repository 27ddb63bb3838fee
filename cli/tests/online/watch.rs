//! `watch`.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use testbed::{Load, PushOutcome, TestEnv, get};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::{admin, demo, run_in};
use crate::terminal::Terminal;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_what_goes_on() {
    let env = TestEnv::start(demo(25, json!({}))).await;
    let admin = admin(&env);
    let mut terminal = Terminal::start(&["watch", "--admin", &admin], 80, 24);
    terminal
        .shows(&[
            "✔ demo",
            "healthy",
            "blue  stable    75 %",
            "green canary    25 %",
        ])
        .await;
    Load::to(env.envoy.addr())
        .count(200)
        .run(|i| get("/").header("x-user-id", format!("user-{i}")))
        .await;
    terminal.shows(&["0.0 %"]).await;
    env.push(demo(50, json!({}))).await;
    terminal
        .shows(&[
            "config pushed: fingerprint",
            "demo: shift: green 25 % -> 50 %",
            "green canary    50 %",
        ])
        .await;
    assert_eq!(env.envoy.push_raw("{").await, PushOutcome::Rejected);
    terminal.shows(&["config rejected"]).await;
    terminal.resize(40, 30);
    terminal
        .shows(&[
            "role          stable     canary",
            "weight          50 %       50 %",
        ])
        .await;
    terminal.press("q");
    assert!(terminal.ends().await.success());

    let mut terminal = Terminal::start(&["watch", "--admin", &admin], 80, 24);
    terminal.shows(&["✔ demo"]).await;
    terminal.signal(Signal::TERM);
    assert!(terminal.ends().await.success());
}

#[tokio::test]
async fn without_a_terminal_there_are_lines() {
    let env = TestEnv::start(demo(25, json!({}))).await;
    let admin = admin(&env);
    let watch = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_bluegreen"))
            .args(["watch", "--admin", &admin])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program")
    };
    let mut lines = watch(&[]);
    let mut lines = BufReader::new(lines.stdout.take().expect("an output")).lines();
    let mut next = async || {
        let line = timeout(PATIENCE, lines.next_line())
            .await
            .expect("a line in time");
        line.expect("a line").expect("a line")
    };
    assert!(next().await.contains(" fingerprint "));
    assert!(
        next()
            .await
            .ends_with(" demo: healthy, blue 75 %, green 25 %")
    );
    env.push(demo(50, json!({}))).await;
    let happened = [next().await, next().await].join("\n");
    assert!(
        happened.contains(" config pushed: fingerprint "),
        "{happened}"
    );
    assert!(
        happened.contains(" demo: shift: green 25 % -> 50 %"),
        "{happened}"
    );

    let mut lines = watch(&["--output", "json"]);
    let mut lines = BufReader::new(lines.stdout.take().expect("an output")).lines();
    let line = timeout(PATIENCE, lines.next_line())
        .await
        .expect("a line in time");
    let view: Value = serde_json::from_str(&line.expect("a line").expect("a line")).expect("JSON");
    let rollout = &view["envoys"][0]["rollouts"][0];
    assert_eq!(rollout["status"], "healthy");
    assert_eq!(rollout["colors"]["green"]["weight_percent"], 50.0);
}

#[tokio::test]
async fn an_envoy_that_does_not_answer_is_told() {
    let answer = run_in(
        &std::env::temp_dir(),
        &["watch", "--admin", "http://127.0.0.1:1"],
    )
    .await;
    assert_eq!(answer.code, 3, "{answer:?}");
    assert!(
        answer
            .err
            .starts_with("bluegreen: http://127.0.0.1:1: no Envoy answers: "),
        "{answer:?}"
    );
}
