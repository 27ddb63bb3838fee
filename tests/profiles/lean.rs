//! `lean`: the split and the verdicts on each color are those of `full`.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use testbed::{Request, TestEnv, get, with};

use crate::common::{
    COLORS, NOT_SIGNALLED, PROFILES, as_user, both, color, config, failing, logged, rollout,
    user_of, users, wait_for_count, wait_for_suspects, without_responses,
};
use crate::guarded::counting;
use crate::workload;

/// Whoever asks for a color gets it.
fn overriding() -> Value {
    json!({ "override": { "header": "x-bluegreen", "require": "nothing" } })
}

#[tokio::test]
async fn each_user_has_the_color_that_the_contract_says() {
    for profile in PROFILES {
        let env = TestEnv::start(config(profile, json!({}))).await;
        for client in both(&env) {
            for user in users().take(100) {
                let response = client.send(as_user(&user)).await;
                assert_eq!(response.served_by(), Some(color(&user)), "{profile} {user}");
            }
        }
    }
}

#[tokio::test]
async fn a_ramp_goes_by_the_clock() {
    let start = SystemTime::now() - Duration::from_secs(3_600);
    let ramp = json!({
        "start": humantime::format_rfc3339_seconds(start).to_string(),
        "steps": [{ "weight": 0, "hold": "1m" }, { "weight": 50, "hold": "5h" }, { "weight": 100 }],
    });
    let weights = json!({ "blue": 100, "green": 0 });
    let ramped = config("lean", json!({ "ramp": ramp, "weights": weights }));
    let env = TestEnv::start_with(|envoy| without_responses(envoy.config(ramped))).await;
    let client = env.http1();
    for user in users().take(100) {
        let response = client.send(as_user(&user)).await;
        assert_eq!(response.served_by(), Some(color(&user)), "{user}");
    }
}

#[tokio::test]
async fn requests_count_by_the_reason_of_their_color() {
    let with_cookie = json!([{ "header": "x-user-id" }, { "cookie": "uid" }]);
    let demo = with(overriding(), json!({ "sticky": with_cookie }));
    let generated = json!({
        "match": { "path_prefix": "/new" },
        "sticky": [{ "new_cookie": { "name": "id" } }],
    });
    let rollouts = [rollout("demo", demo), rollout("generated", generated)];
    let env = TestEnv::start(json!({ "profile": "lean", "rollouts": rollouts })).await;
    for client in both(&env) {
        for user in users().take(10) {
            let by_header = as_user(&user);
            let by_cookie = get("/").header("cookie", format!("uid={user}"));
            for request in [by_header, by_cookie] {
                let response = client.send(request).await;
                assert_eq!(response.served_by(), Some(color(&user)), "{user}");
            }
            client.get("/").await;
            for color in COLORS {
                let response = client
                    .send(as_user(&user).header("x-bluegreen", color))
                    .await;
                assert_eq!(response.served_by(), Some(color));
            }
            let response = client.get("/new").await;
            assert!(
                response
                    .header("set-cookie")
                    .is_some_and(|it| it.starts_with("id="))
            );
        }
    }
    let name = "bluegreen_requests_total";
    let greens = 4 * users()
        .take(10)
        .filter(|user| color(user) == "green")
        .count() as u64;
    for (labels, count) in [
        (&[("reason", "sticky"), ("color", "green")][..], greens),
        (&[("reason", "sticky")], 40),
        (&[("reason", "random")], 20),
        (&[("reason", "override"), ("color", "blue")], 20),
        (&[("reason", "override"), ("color", "green")], 20),
        (&[("reason", "generated")], 0),
        (&[], 100),
    ] {
        wait_for_count(&env, name, labels, count).await;
    }
    let generated = [("rollout", "generated"), ("reason", "generated")];
    assert_eq!(env.envoy.metrics().await.get(name, &generated), 20.0);
}

#[tokio::test]
async fn streams_that_end_in_every_way_are_judged_as_in_full() {
    let policy = config("lean", counting());
    let env = TestEnv::start_with(|envoy| without_responses(envoy.config(policy))).await;
    workload::run(&env).await;
    wait_for_suspects(&env, workload::suspects()).await;
    workload::wait_for_verdicts(&env).await;
    assert_eq!(logged(&env, NOT_SIGNALLED), 0);
    env.assert_no_vm_died().await;
}

#[tokio::test]
async fn overridden_requests_are_not_judged() {
    let policy = config("lean", with(counting(), overriding()));
    let env = TestEnv::start_with(|envoy| without_responses(envoy.config(policy))).await;
    let ends: [fn(Request) -> Request; 3] = [
        |request| request,
        |request| request.header("x-test-status", "503"),
        |request| request.header("x-test-close", "middle"),
    ];
    for client in both(&env) {
        for color in COLORS {
            for end in ends {
                client
                    .send(end(get("/").header("x-bluegreen", color)))
                    .await;
            }
        }
        // A failure that counts, behind them.
        client.send(failing()).await;
    }
    wait_for_suspects(&env, 10).await;
    for name in ["bluegreen_failures_total", "bluegreen_guard_finished_total"] {
        wait_for_count(&env, name, &[("color", "green")], 2).await;
        wait_for_count(&env, name, &[("color", "blue")], 0).await;
    }
}

/// Its 101 is signalled, and its end looks to Envoy like a response that breaks off.
#[tokio::test]
async fn a_websocket_is_served() {
    for profile in PROFILES {
        let env = TestEnv::start(config(profile, counting())).await;
        let user = user_of("blue");
        let mut socket = env.websocket(as_user(&user)).await;
        assert_eq!(socket.echo("hello").await, "hello");
        socket.close().await;
        wait_for_suspects(&env, 1).await;
        wait_for_count(&env, "bluegreen_guard_finished_total", &[], 1).await;
        wait_for_count(&env, "bluegreen_failures_total", &[], 0).await;
    }
}
