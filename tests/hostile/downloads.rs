//! Clients that do not read what they asked for, and upstreams that stop in the middle.

use serde_json::{Value, json};
use testbed::{Behavior, Ending, EnvoyBuilder, TestEnv, get, send_raw};
use tokio::net::TcpStream;

use crate::common::{
    assert_harmless, both, config, guard, wait_for, wait_for_ends, wait_for_rollback, watched,
};

const STREAMS: u64 = 20;

/// More than Envoy and the kernel hold for a client.
const LARGE: &str =
    "GET / HTTP/1.1\r\nhost: a\r\nx-test-chunks: 400\r\nx-test-chunk-bytes: 65536\r\n\r\n";

fn judged() -> Value {
    config(json!({ "guard": guard(json!({ "max_error_rate": 5 })) }))
}

fn stream_idle_timeout(envoy: EnvoyBuilder) -> EnvoyBuilder {
    envoy.edit_bootstrap(
        "stat_prefix: ingress",
        "stat_prefix: ingress\n          stream_idle_timeout: 1s",
    )
}

fn idle_timeout(envoy: EnvoyBuilder) -> EnvoyBuilder {
    let route = "timeout: 0s\n                  idle_timeout: 1s";
    envoy.edit_bootstrap("timeout: 15s", route)
}

/// Long enough for an upstream to begin all that clients do not read.
fn timeout(envoy: EnvoyBuilder) -> EnvoyBuilder {
    envoy.edit_bootstrap("timeout: 15s", "timeout: 3s")
}

async fn assert_not_reading_is_no_failure(options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder) {
    let env = watched(judged(), options).await;
    let mut unread: Vec<TcpStream> = Vec::new();
    for _ in 0..STREAMS {
        unread.push(send_raw(env.envoy.addr(), LARGE).await);
    }
    env.green.wait_for_count(STREAMS).await;
    wait_for_ends(&env, STREAMS).await;
    assert_harmless(&env, judged(), "200 ").await;
}

#[tokio::test]
async fn a_client_that_does_not_read_until_the_stream_idle_timeout_is_no_failure() {
    assert_not_reading_is_no_failure(stream_idle_timeout).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_until_the_idle_timeout_of_the_route_is_no_failure() {
    assert_not_reading_is_no_failure(idle_timeout).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_until_the_timeout_of_the_route_is_no_failure() {
    assert_not_reading_is_no_failure(timeout).await;
}

async fn assert_stalling_is_a_failure(env: &TestEnv, chunks: u64) {
    env.green.set(Behavior {
        chunks,
        chunk_bytes: Some(4_096),
        ..Behavior::ending(Ending::StallBody)
    });
    let clients = both(env);
    let requests = (0..STREAMS).map(|i| clients[i as usize % 2].send(get("/")));
    let responses = futures_util::future::join_all(requests).await;
    for (response, client) in responses.iter().zip(clients.iter().cycle()) {
        assert_eq!((response.status, response.cut), (200, client.sees_cuts()));
    }
    wait_for_rollback(env, "error_rate").await;
    wait_for(env, "bluegreen_failures_total", STREAMS as f64).await;
}

#[tokio::test]
async fn an_upstream_that_stalls_after_its_headers_has_failed() {
    for options in [stream_idle_timeout, idle_timeout, timeout] {
        let env = watched(judged(), options).await;
        assert_stalling_is_a_failure(&env, 0).await;
    }
}

#[tokio::test]
async fn an_upstream_that_stalls_after_a_few_kilobytes_has_failed() {
    for options in [stream_idle_timeout, idle_timeout, timeout] {
        let env = watched(judged(), options).await;
        assert_stalling_is_a_failure(&env, 3).await;
    }
}
