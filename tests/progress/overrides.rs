//! Testers see a color before anyone else.

use std::time::SystemTime;

use serde_json::{Value, json};
use testbed::{Behavior, Client, Request, TestEnv, get, merge};

use crate::common::{as_user, config, served_by, wait_for_responses, weights};
use crate::guarded::{
    Watched, green_user, guarded, look, send, trips, wait_for_rollback, wait_for_state, watched,
    with_guard,
};

const DENIED: &str = "bluegreen_override_denied_total";
const DEMO: [(&str, &str); 1] = [("rollout", "demo")];

fn may_override(require: Value) -> Value {
    json!({ "header": "x-bluegreen", "cookie": "bluegreen-override", "require": require })
}

/// All on blue.
pub fn with_override(require: Value) -> Value {
    config(json!({ "weights": weights(0), "override": may_override(require) }))
}

pub fn by_header(color: impl AsRef<[u8]>) -> Request {
    get("/").header("x-bluegreen", color)
}

pub fn by_cookie(color: &str) -> Request {
    get("/").header("cookie", format!("a=b; bluegreen-override={color}; c=d"))
}

/// From an address that the shipped bootstrap does not call internal.
pub fn outsiders(env: &TestEnv) -> [Client; 2] {
    [env.http1(), env.http2()].map(|client| client.from_ip([127, 0, 0, 2]))
}

pub async fn denied(env: &TestEnv) -> f64 {
    env.envoy.metrics().await.get(DENIED, &DEMO)
}

/// Requests by reason and color.
pub async fn requests(env: &TestEnv, reason: &str, color: &str) -> f64 {
    let labels = [DEMO[0], ("reason", reason), ("color", color)];
    env.envoy
        .metrics()
        .await
        .get("bluegreen_requests_total", &labels)
}

#[tokio::test]
async fn a_header_or_a_cookie_chooses_the_color_at_any_weight() {
    let env = TestEnv::start(with_override(json!("nothing"))).await;
    let mut chosen = 0.0;
    for green in [0, 100] {
        let mut policy = with_override(json!("nothing"));
        policy["rollouts"][0]["weights"] = weights(green);
        env.push(policy).await;
        for client in [env.http1(), env.http2()]
            .into_iter()
            .chain(outsiders(&env))
        {
            for color in ["blue", "green"] {
                for request in [by_header(color), by_cookie(color)] {
                    let request = request.header("x-user-id", "u1");
                    assert_eq!(served_by(&client, request).await, color);
                }
            }
            chosen += 2.0;
        }
    }
    for color in ["blue", "green"] {
        assert_eq!(requests(&env, "override", color).await, chosen, "{color}");
    }
    assert_eq!(denied(&env).await, 0.0);
    let sticky = [DEMO[0], ("reason", "sticky")];
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get("bluegreen_requests_total", &sticky), 0.0);
}

#[tokio::test]
async fn what_names_no_color_is_ignored_and_not_counted() {
    let env = TestEnv::start(with_override(json!("internal"))).await;
    let values: [&[u8]; 6] = [b"", b"red", b"Green", b"green,blue", b"1", b"\xff\xfe"];
    let [outsider, _] = outsiders(&env);
    for value in values {
        for client in [&env.http1(), &outsider] {
            assert_eq!(served_by(client, by_header(value)).await, "blue");
            let cookie = [b"bluegreen-override=", value].concat();
            let request = get("/").header("cookie", cookie);
            assert_eq!(served_by(client, request).await, "blue");
        }
    }
    assert_eq!(
        requests(&env, "random", "blue").await,
        4.0 * values.len() as f64
    );
    assert_eq!(denied(&env).await, 0.0);
    // A good cookie counts beside a header that is ignored.
    let request = by_cookie("green").header("x-bluegreen", "red");
    assert_eq!(served_by(&env.http1(), request).await, "green");
}

#[tokio::test]
async fn an_override_wins_over_a_ramp() {
    let start = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let steps = json!([{ "weight": 0, "hold": "1h" }, { "weight": 100 }]);
    let mut policy = with_override(json!("internal"));
    let ramp = json!({ "ramp": { "start": start, "steps": steps } });
    merge(&mut policy["rollouts"][0], ramp);
    let env = TestEnv::start(policy).await;
    let client = env.http1();
    assert_eq!(served_by(&client, as_user(&green_user())).await, "blue");
    assert_eq!(served_by(&client, by_header("green")).await, "green");
}

#[tokio::test]
async fn a_tester_sees_the_broken_color_after_its_rollback() {
    let mut policy = guarded(json!({ "max_error_rate": 5 }));
    merge(
        &mut policy["rollouts"][0],
        json!({ "override": may_override(json!("internal")) }),
    );
    let env = watched(policy).await;
    env.green.set(Behavior::status(500));
    send(&env, &green_user(), 20).await;
    wait_for_rollback(&env, "blue", "error_rate").await;
    for client in [env.http1(), env.http2()] {
        for request in [by_header("green"), by_cookie("green")] {
            assert_eq!(served_by(&client, request).await, "green");
        }
        assert_eq!(served_by(&client, as_user(&green_user())).await, "blue");
    }
}

/// An environment whose guard takes one bad request as enough, where everyone may override.
async fn strict(limits: Value) -> Watched {
    let mut guard = with_guard(json!({ "min_requests": 1 }));
    merge(&mut guard, limits);
    let overrides = may_override(json!("nothing"));
    watched(config(json!({ "guard": guard, "override": overrides }))).await
}

async fn assert_no_trip(env: &Watched, responses: u64) {
    wait_for_responses(env, "demo", responses).await;
    look(env).await;
    wait_for_state(env, 1).await;
    assert_eq!(trips(env).await, 0.0);
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get("bluegreen_failures_total", &DEMO), 0.0);
}

#[tokio::test]
async fn failures_of_overridden_requests_are_nothing_to_the_guard() {
    let limits = json!({ "max_error_rate": 0, "max_error_rate_over_stable": 0 });
    let env = strict(limits).await;
    let client = env.http1();
    for color in ["green", "blue"].iter().cycle().take(20) {
        let failing = by_header(color).header("x-test-status", "500");
        assert_eq!(served_by(&client, failing).await, *color);
    }
    for cut in ["before", "middle"] {
        let failing = by_header("green").header("x-test-close", cut);
        client.send(failing).await;
    }
    assert_no_trip(&env, 22).await;
    let failed = [DEMO[0], ("code_class", "5xx")];
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get("bluegreen_responses_total", &failed), 21.0);
    // The same from a user who has green anyway.
    let failing = as_user(&green_user()).header("x-test-status", "500");
    client.send(failing).await;
    wait_for_rollback(&env, "blue", "error_rate").await;
}

#[tokio::test]
async fn slowness_of_overridden_requests_is_nothing_to_the_guard() {
    let limits = json!({ "slow_after": "20ms", "max_slow_rate": 0 });
    let env = strict(limits).await;
    let client = env.http2();
    // The second waits through several looks of the guard.
    for delay_ms in ["50", "1000"] {
        let slow = by_header("green").header("x-test-delay-ms", delay_ms);
        assert_eq!(served_by(&client, slow).await, "green");
    }
    assert_no_trip(&env, 2).await;
    let slow = as_user(&green_user()).header("x-test-delay-ms", "50");
    client.send(slow).await;
    wait_for_rollback(&env, "blue", "slow_rate").await;
}
