//! New configurations, good and bad, while Envoy serves.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use testbed::{Load, PushOutcome, TestEnv, get};

use crate::common::config;

const PUSHES: u32 = 120;

/// A bad configuration that no other push has, and what the log must say about it.
fn bad(i: u32) -> (String, String) {
    let good = || config(50_000, json!([]));
    let with = |pointer: &str, value: Value| {
        let mut config = good();
        *config.pointer_mut(pointer).expect("a place in the config") = value;
        config.to_string()
    };
    let percent = |millipercent: u32| f64::from(millipercent) / 1_000.0;
    match i % 5 {
        0 => (
            with(
                "/rollouts/0/weights",
                json!({ "blue": 90, "green": percent(i) }),
            ),
            format!(
                "rollouts[0].weights: blue 90 + green {} = {}, must be 100",
                percent(i),
                percent(90_000 + i)
            ),
        ),
        1 => (
            with("/rollouts/0/name", json!(format!("Demo {i}"))),
            format!("rollouts[0].name: \"Demo {i}\", must be 1 to 64 of a-z, 0-9, '_' and '-'"),
        ),
        2 => (
            with("/rollouts/0/sticky", json!([{ "heather": i }])),
            "rollouts[0].sticky[0].heather: unknown field, must be one of header, ".to_owned(),
        ),
        3 => (
            with("/rollouts/0/weights/green", json!(format!("{i}%"))),
            format!("rollouts[0].weights.green: \"{i}%\", must be a number from 0 to 100"),
        ),
        _ => (
            format!("{good}{i}", good = good()),
            "trailing characters".to_owned(),
        ),
    }
}

#[tokio::test]
async fn pushes_good_and_bad_under_full_load_lose_no_request() {
    let env = TestEnv::start(config(0, json!([]))).await;
    let load = Load::to(env.envoy.addr())
        .connections(8)
        .start(|i| get("/").header("x-user-id", format!("user-{i}")));
    let client = env.http1().connection_per_request();

    let mut in_force = "blue";
    let mut said = Vec::new();
    for i in 0..PUSHES {
        if i % 2 == 0 {
            let (green, color) = if i % 4 == 0 {
                (100_000, "green")
            } else {
                (0, "blue")
            };
            assert_eq!(
                env.envoy.push(config(green, json!([]))).await,
                PushOutcome::Accepted
            );
            in_force = color;
        } else {
            let (text, message) = bad(i);
            assert_eq!(
                env.envoy.push_raw(text).await,
                PushOutcome::Rejected,
                "{message}"
            );
            said.push(message);
        }
        for _ in 0..4 {
            let served_by = client.get("/").await.served_by().map(str::to_owned);
            assert_eq!(served_by.as_deref(), Some(in_force), "after push {i}");
        }
    }

    let report = load.stop().await;
    assert_eq!(report.failed(), 0, "{:?}", report.by_status());
    assert!(
        report.sent() > u64::from(PUSHES) * 10,
        "little load: {}",
        report.sent()
    );
    assert!(report.served_by("blue") > 0 && report.served_by("green") > 0);
    env.assert_all_workers_took_connections().await;
    env.assert_no_vm_died().await;

    let last = said.last().expect("a bad push");
    env.envoy.wait_for_log(last).await;
    let log = env.envoy.log();
    for message in &said {
        let pushed = said.iter().filter(|other| *other == message).count();
        let lines = log.lines().filter(|line| line.contains(message.as_str()));
        assert_eq!(lines.count(), pushed, "{message}");
    }
    assert_eq!(log.matches("config rejected").count(), said.len());
}

#[tokio::test]
async fn with_a_bad_config_at_start_blue_serves_until_a_good_push() {
    let env = TestEnv::start_with(|envoy| {
        envoy
            .raw_config(r#"{ "rollouts": [] }"#)
            .without_waiting_for_config()
    })
    .await;
    env.envoy
        .wait_for_log("rollouts: 0 rollouts, must be 1 to 1000")
        .await;
    let forged = get("/").header("x-bluegreen-cluster", "green");
    for client in [env.http1().connection_per_request(), env.http2()] {
        for _ in 0..10 {
            let response = client.send(forged.clone()).await;
            assert_eq!((response.status, response.served_by()), (200, Some("blue")));
        }
    }
    assert_eq!(env.blue.last().header("x-bluegreen-cluster"), None);

    let pushed = env.envoy.push(config(100_000, json!([]))).await;
    assert_eq!(pushed, PushOutcome::Accepted);
    let client = env.http1().connection_per_request();
    for _ in 0..10 {
        assert_eq!(client.get("/").await.served_by(), Some("green"));
    }
}

#[tokio::test]
async fn requests_under_way_keep_the_config_they_began_with() {
    let mut first = config(100_000, json!([]));
    first["color_header"] = json!("x-color");
    let env = TestEnv::start(first).await;
    let client = env.http1();
    let slow = client.send(get("/").header("x-test-delay-ms", "500"));
    let push = async {
        env.green.wait_for_count(1).await;
        env.envoy.push(config(0, json!([]))).await
    };
    let (response, pushed) = tokio::join!(slow, push);
    assert_eq!(pushed, PushOutcome::Accepted);
    assert_eq!(
        (response.status, response.header("x-color")),
        (200, Some("green"))
    );
    let next = client.get("/").await;
    assert_eq!(
        (next.served_by(), next.header("x-color")),
        (Some("blue"), None)
    );
}

#[tokio::test]
async fn the_version_is_logged_when_it_comes_into_force() {
    let env = TestEnv::start(config(0, json!([]))).await;
    let mut next = config(0, json!([]));
    next["version"] = json!("2026-11-23.7");
    let pushed = env.envoy.push(next).await;
    assert_eq!(pushed, PushOutcome::Accepted);
    env.envoy.wait_for_log("version 2026-11-23.7").await;
}

/// A gate for CI. Envoy does not read discovered files then, so the filter stands in the bootstrap.
#[tokio::test]
async fn envoy_validates_a_config_before_it_is_pushed() {
    let env = TestEnv::start(config(0, json!([]))).await;
    let validate = || {
        let dir = env.envoy.dir();
        let ecds = fs::read_to_string(dir.join("bluegreen.yaml")).expect("bluegreen.yaml");
        fs::write(dir.join("static.yaml"), static_bootstrap(&ecds)).expect("static.yaml");
        let output = Command::new(envoy())
            .args(["--mode", "validate", "-c", "./static.yaml"])
            .current_dir(dir)
            .output()
            .expect("Envoy runs");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), log)
    };
    let (code, log) = validate();
    assert_eq!(code, Some(0), "{log}");

    let (text, message) = bad(5);
    assert_eq!(env.envoy.push_raw(text).await, PushOutcome::Rejected);
    let (code, log) = validate();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains(&message), "{log}");
}

/// A bootstrap with the filter of an ECDS file in it: both call it by name and typed_config.
fn static_bootstrap(ecds: &str) -> String {
    let (_, filter) = ecds.split_once("  name: bluegreen\n").expect("the filter");
    let filter: String = filter
        .lines()
        .map(|line| format!("          {line}\n"))
        .collect();
    format!(
        r#"
static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: 0 }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          route_config: {{}}
          http_filters:
          - name: bluegreen
{filter}
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
"#
    )
}

/// The Envoy that the testbed runs.
fn envoy() -> PathBuf {
    let built = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.venv/envoy"));
    std::env::var_os("ENVOY").map_or_else(built, PathBuf::from)
}

/// Each on a line of its own, with its path.
#[tokio::test]
async fn all_problems_of_a_configuration_are_logged() {
    let env = TestEnv::start(config(0, json!([]))).await;
    let bad = json!({
        "version": "",
        "color_header": "cookie",
        "rollouts": [
            {
                "name": "Demo",
                "clusters": { "blue": "blue", "green": "green" },
                "weights": { "blue": 90, "green": 5 },
            },
            {
                "name": "other",
                "match": { "path_prefix": "other" },
                "clusters": { "blue": "blue", "green": "green" },
                "weights": { "blue": 50, "green": 50 },
            },
        ],
    });
    assert_eq!(env.envoy.push(bad).await, PushOutcome::Rejected);
    for problem in [
        "version: ",
        "color_header: ",
        "rollouts[0].name: \"Demo\", must be ",
        "rollouts[0].weights: blue 90 + green 5 = 95, must be 100",
        "rollouts[1].match.path_prefix: \"other\", must ",
    ] {
        let line = format!("config rejected, the one in force stays: {problem}");
        env.envoy.wait_for_log(&line).await;
    }
}
