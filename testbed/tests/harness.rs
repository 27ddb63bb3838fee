//! The harness itself, on an Envoy whose filter doesn't load: the shipped bootstrap then sends all to
//! blue. So these facts hold whatever the filter does.

use std::io::Write;
use std::time::{Duration, Instant};

use testbed::{
    Behavior, Client, Code, Ending, Load, PATIENCE, PushOutcome, Response, TestEnv, eventually,
    get, post,
};

/// An environment without the filter.
async fn env() -> TestEnv {
    let mut wasm = tempfile::NamedTempFile::new().expect("a temporary file");
    wasm.write_all(b"no WebAssembly").expect("a file written");
    TestEnv::start_with(|envoy| envoy.wasm(wasm.path()).without_waiting_for_config()).await
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_sent() {
    let env = env().await;
    let request = get("/a?b=%20c")
        .host("shop.example")
        .header("x-key", b"\xff\xfe")
        .header("x-key", "2");
    for client in [env.http1(), env.http2()] {
        let response = client.send(request.clone()).await;
        assert_eq!((response.status, response.served_by()), (200, Some("blue")));
        assert_eq!(response.text(), "blue\n");
        let received = env.blue.last();
        assert_eq!(received.path, "/a?b=%20c");
        assert_eq!(
            received.host.as_deref().map(text).as_deref(),
            Some("shop.example")
        );
        assert_eq!(received.header_all("x-key"), [&b"\xff\xfe"[..], b"2"]);
    }
    assert_eq!(
        (
            env.blue.count(),
            env.blue.count_path("/a"),
            env.green.count()
        ),
        (2, 2, 0)
    );
}

#[tokio::test]
async fn a_client_can_choose_its_address_and_its_connections() {
    let env = env().await;
    let client = env.http1().from_ip([127, 0, 0, 2]).connection_per_request();
    for _ in 0..3 {
        client.get("/").await;
    }
    assert_eq!(
        env.envoy.counter("http.ingress.downstream_cx_total").await,
        3
    );
    let forwarded_for = env.blue.last();
    assert_eq!(
        forwarded_for.header("x-forwarded-for"),
        Some(&b"127.0.0.2"[..])
    );
}

#[tokio::test]
async fn an_upstream_answers_as_the_request_asks() {
    let env = env().await;
    for client in [env.http1(), env.http2()] {
        let send =
            |name: &'static str, value: &'static str| client.send(get("/").header(name, value));
        assert_eq!(send("x-test-status", "418").await.status, 418);
        assert_eq!(send("x-test-chunks", "1000").await.body.len(), 5_000);
        let asked = send("x-test-response-header", "x-asked: a: b").await;
        assert_eq!(asked.header("x-asked"), Some("a: b"));

        let start = Instant::now();
        send("x-test-delay-ms", "100").await;
        assert!(start.elapsed() >= Duration::from_millis(100));

        let closed: Response = send("x-test-close", "before").await;
        assert_eq!((closed.status, closed.served_by()), (503, None));
        let cut = send("x-test-close", "middle").await;
        assert_eq!(
            (cut.status, cut.cut, cut.text()),
            (200, client.sees_cuts(), "blue\n".to_owned())
        );
    }
}

#[tokio::test]
async fn an_upstream_can_be_made_bad_for_a_share_of_its_requests() {
    let env = env().await;
    env.blue.set_percent(6.0, Behavior::status(500));
    let report = Load::to(env.envoy.addr())
        .count(100)
        .run(|_| get("/"))
        .await;
    assert_eq!(
        (report.sent(), report.failed(), report.by_status()[&500]),
        (100, 6, 6)
    );

    env.blue.set(Behavior::ending(Ending::CloseMiddle));
    let report = Load::to(env.envoy.addr()).count(10).run(|_| get("/")).await;
    assert_eq!((report.failed(), report.by_status()[&200]), (10, 10));
}

#[tokio::test]
async fn a_client_can_leave_before_and_in_the_middle_of_a_response() {
    let env = env().await;
    let hangs = get("/").header("x-test-hang", "1");
    let stalls = get("/").header("x-test-stall", "body");
    let mut left = 0;
    for client in [env.http1(), env.http2()] {
        let has_arrived = env.blue.wait_for_count(left + 1);
        client
            .leave_before_response(hangs.clone(), has_arrived)
            .await;
        wait_for_counter(&env, "http.ingress.downstream_rq_rx_reset", left + 1).await;
        client.leave_in_body(stalls.clone()).await;
        wait_for_counter(&env, "http.ingress.downstream_rq_rx_reset", left + 2).await;
        left += 2;
    }
    let connections_left = env
        .envoy
        .counter("http.ingress.downstream_cx_destroy_remote_active_rq");
    assert_eq!(connections_left.await, 2, "in HTTP/2 only the stream ends");
}

async fn wait_for_counter(env: &TestEnv, name: &str, count: u64) {
    let seen = || async {
        match env.envoy.counter(name).await {
            seen if seen == count => Ok(()),
            seen => Err(seen.to_string()),
        }
    };
    eventually(name, PATIENCE, seen).await;
}

#[tokio::test]
async fn raw_bytes_reach_envoy() {
    let env = env().await;
    let answer = env.raw("GET / HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    assert!(
        text(&answer).starts_with("HTTP/1.1 400 "),
        "{}",
        text(&answer)
    );
    assert_eq!(env.blue.count(), 0);
}

#[tokio::test]
async fn a_websocket_echoes() {
    let env = env().await;
    let mut socket = env
        .websocket(get("/socket").header("x-user-id", "u1"))
        .await;
    assert_eq!(socket.headers["x-served-by"], "blue");
    assert_eq!(socket.echo("hello").await, "hello");
    socket.close().await;
    assert_eq!(env.blue.last().header("x-user-id"), Some(&b"u1"[..]));
}

#[tokio::test]
async fn grpc_calls_end_as_their_service_says() {
    let env = env().await;
    let grpc = env.grpc();
    let ok = grpc.check("ok", &[("x-user-id", "u1")]).await;
    assert_eq!(
        (ok.code, ok.messages, ok.served_by()),
        (Code::Ok, 1, Some("blue"))
    );
    assert_eq!(env.blue.last().header("x-user-id"), Some(&b"u1"[..]));

    let failed = grpc.check("status-14", &[]).await;
    assert_eq!(
        (failed.code, failed.message.as_str()),
        (Code::Unavailable, "as the test asked")
    );
    let ok = grpc.watch("ok", &[]).await;
    assert_eq!((ok.code, ok.messages), (Code::Ok, 2));
    let broken = grpc.watch("stream-ok-then-13", &[]).await;
    assert_eq!((broken.code, broken.messages), (Code::Internal, 2));

    env.blue.set(Behavior::grpc_status(Code::Unavailable));
    assert_eq!(grpc.check("ok", &[]).await.code, Code::Unavailable);
}

#[tokio::test]
async fn a_push_that_envoy_refuses_is_rejected() {
    let env = env().await;
    assert_eq!(
        env.envoy.push(serde_json::json!({})).await,
        PushOutcome::Rejected
    );
    assert_eq!(
        env.envoy.push_raw("no JSON: \"\n").await,
        PushOutcome::Rejected
    );
    env.envoy.wait_for_log("failed to load").await;
    assert_eq!(env.http1().get("/").await.served_by(), Some("blue"));
}

#[tokio::test]
async fn load_keeps_its_rate_until_stopped() {
    let env = env().await;
    let load = Load::to(env.envoy.addr())
        .per_second(500.0)
        .start(|i| post("/", i.to_string()));
    env.blue.wait_for_count(100).await;
    let report = load.stop().await;
    assert_eq!(
        (report.failed(), report.served_by("blue")),
        (0, report.sent())
    );
    let last = report.outcomes.last().expect("an outcome");
    let first = &report.outcomes[0];
    assert_eq!((first.index, last.index), (0, report.sent() - 1));
    let shortest = Duration::from_millis(2) * (report.sent() as u32 - 1) - first.latency;
    assert!(
        last.end - first.end >= shortest,
        "{} requests too fast",
        report.sent()
    );
    assert!(report.latency(50.0) <= report.latency(99.0));
}

#[tokio::test]
async fn metrics_are_what_envoy_shows() {
    let env = env().await;
    env.http1().get("/").await;
    let labels = [
        ("envoy_http_conn_manager_prefix", "ingress"),
        ("envoy_response_code_class", "2"),
    ];
    env.envoy
        .wait_for_metric("envoy_http_downstream_rq_xx", &labels, |n| n == 1.0)
        .await;
    let durations = (
        "envoy_cluster_upstream_rq_time",
        [("envoy_cluster_name", "blue")],
    );
    env.envoy
        .wait_for_metric("envoy_cluster_upstream_rq_time_count", &durations.1, |n| {
            n == 1.0
        })
        .await;
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.histogram_count(durations.0, &durations.1), 1.0);
    assert!(metrics.histogram_sum(durations.0, &durations.1) < 15_000.0);
}

#[tokio::test]
async fn further_listeners_come_from_extra_yaml() {
    let yaml = "static_resources: { listeners: [ { name: second, \
        address: { socket_address: { address: 127.0.0.1, port_value: 0 } }, \
        filter_chains: [ { filters: [ { name: envoy.filters.network.direct_response, typed_config: { \
        \"@type\": type.googleapis.com/envoy.extensions.filters.network.direct_response.v3.Config, \
        response: { inline_string: hello } } } ] } ] } ] }";
    let mut wasm = tempfile::NamedTempFile::new().expect("a temporary file");
    wasm.write_all(b"no WebAssembly").expect("a file written");
    let options = |envoy: testbed::EnvoyBuilder| {
        envoy
            .wasm(wasm.path())
            .without_waiting_for_config()
            .extra_yaml(yaml)
    };
    let env = TestEnv::start_with(options).await;
    assert_eq!(
        testbed::raw(env.envoy.listener("second"), "").await,
        b"hello"
    );
    assert_eq!(env.http1().get("/").await.status, 200);
}

#[tokio::test]
async fn envoy_ends_with_its_value() {
    let env = env().await;
    let (addr, dir) = (env.envoy.addr(), env.envoy.dir().to_owned());
    drop(env);
    assert!(!dir.exists());
    assert!(Client::http1(addr).try_send(get("/")).await.is_err());
}

#[tokio::test]
#[should_panic(expected = "bootstrap.yaml has no `no such text` to replace")]
async fn an_edit_that_finds_nothing_fails() {
    TestEnv::start_with(|envoy| envoy.edit_bootstrap("no such text", "")).await;
}
