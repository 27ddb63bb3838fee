//! Requests whose bodies are slow or never end, and upstreams that hang on complete ones.

use serde_json::{Value, json};
use testbed::{EnvoyBuilder, Request, TestEnv, Upload, get, post};

use crate::common::{
    assert_harmless, both, config, failures, guard, strict, wait_beyond_slow_after, wait_for,
    wait_for_ends, wait_for_rollback, wait_for_state, watched,
};

fn judged() -> Value {
    config(json!({ "guard": strict() }))
}

fn by_failures() -> Value {
    config(json!({ "guard": guard(json!({ "max_error_rate": 5 })) }))
}

/// Cuts off a stream on which nothing moves; the request's body too.
fn stream_idle_timeout(envoy: EnvoyBuilder) -> EnvoyBuilder {
    envoy.edit_bootstrap(
        "stat_prefix: ingress",
        "stat_prefix: ingress\n          stream_idle_timeout: 1s",
    )
}

/// The same of the route.
fn idle_timeout(envoy: EnvoyBuilder) -> EnvoyBuilder {
    let route = "timeout: 15s\n                  idle_timeout: 1s";
    envoy.edit_bootstrap("timeout: 15s", route)
}

/// Uploads that have reached the upstream, half over HTTP/1.1, half over HTTP/2.
async fn begin(env: &TestEnv, count: u64) -> Vec<Upload> {
    let clients = both(env);
    let uploads = (0..count).map(|i| clients[i as usize % 2].upload(post("/", "begin")));
    let uploads = uploads.collect();
    env.green.wait_for_count(count).await;
    uploads
}

#[tokio::test]
async fn an_upload_that_never_ends_is_not_slow() {
    let env = watched(judged(), |envoy| envoy).await;
    let uploads = begin(&env, 40).await;
    wait_beyond_slow_after(&env).await;
    drop(uploads);
    wait_for_ends(&env, 40).await;
    wait_for_state(&env, 1).await;
    assert_harmless(&env, judged(), "0 DC downstream_remote_disconnect").await;
}

/// However long they last, they count while they are under way as they do at their end.
#[tokio::test]
async fn an_upload_that_is_slow_and_honest_is_not_slow() {
    let env = watched(judged(), |envoy| envoy).await;
    let uploads = begin(&env, 40).await;
    wait_beyond_slow_after(&env).await;
    for upload in uploads {
        upload.send("end");
        assert_eq!(upload.finish().await.status, 200);
    }
    wait_for_ends(&env, 40).await;
    wait_for_state(&env, 0).await;
    assert_harmless(&env, judged(), "200 - via_upstream").await;
}

async fn assert_408_is_no_failure(options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder) {
    let env = watched(by_failures(), options).await;
    let uploads = begin(&env, 60).await;
    for upload in uploads {
        assert_eq!(upload.answer().await.status, 408);
    }
    wait_for_ends(&env, 60).await;
    assert_harmless(&env, by_failures(), "408 ").await;
}

#[tokio::test]
async fn an_upload_that_the_stream_idle_timeout_ends_is_no_failure() {
    assert_408_is_no_failure(stream_idle_timeout).await;
}

#[tokio::test]
async fn an_upload_that_the_idle_timeout_of_the_route_ends_is_no_failure() {
    assert_408_is_no_failure(idle_timeout).await;
}

/// Requests that are complete, and an upstream that hangs on them.
fn hanging() -> [Request; 2] {
    [get("/"), post("/", "all of it")].map(|request| request.header("x-test-hang", "1"))
}

#[tokio::test]
async fn an_upstream_that_hangs_on_a_complete_request_is_slow() {
    for request in hanging() {
        let env = watched(judged(), |envoy| envoy).await;
        let client = env.http2();
        let under_way: Vec<Upload> = (0..20).map(|_| client.complete(request.clone())).collect();
        env.green.wait_for_count(20).await;
        wait_for_rollback(&env, "slow_rate").await;
        drop(under_way);
    }
}

/// The last piece of a body is not the first thing that an upstream may hang on.
#[tokio::test]
async fn an_upstream_that_hangs_on_the_end_of_an_upload_is_slow() {
    let env = watched(judged(), |envoy| envoy).await;
    let client = env.http2();
    let upload = post("/", "begin").header("x-test-hang", "1");
    let mut uploads: Vec<Upload> = (0..20).map(|_| client.upload(upload.clone())).collect();
    env.green.wait_for_count(20).await;
    uploads.iter_mut().for_each(Upload::end);
    wait_for_rollback(&env, "slow_rate").await;
}

async fn assert_hanging_is_a_failure(options: impl Fn(EnvoyBuilder) -> EnvoyBuilder, status: u16) {
    for request in hanging() {
        let env = watched(by_failures(), &options).await;
        let client = env.http2();
        let under_way: Vec<Upload> = (0..20).map(|_| client.complete(request.clone())).collect();
        for request in under_way {
            assert_eq!(request.answer().await.status, status);
        }
        wait_for_rollback(&env, "error_rate").await;
        wait_for(&env, "bluegreen_failures_total", 20.0).await;
        assert_eq!(failures(&env).await, 20.0);
    }
}

#[tokio::test]
async fn an_upstream_that_hangs_until_the_stream_idle_timeout_has_failed() {
    assert_hanging_is_a_failure(stream_idle_timeout, 504).await;
}

#[tokio::test]
async fn an_upstream_that_hangs_until_the_idle_timeout_of_the_route_has_failed() {
    assert_hanging_is_a_failure(idle_timeout, 504).await;
}
