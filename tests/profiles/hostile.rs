//! Clients that mean harm, where the profile is `lean`.

use serde_json::json;
use testbed::{Load, TestEnv, with};

use crate::common::{as_user, color, config, users, wait_for_count, without_responses};
use crate::guarded::counting;

/// Header lines that all get an answer from an upstream.
fn odd_lines() -> Vec<Vec<u8>> {
    let long = |line: &[u8], byte| [line, &vec![byte; 60_000]].concat();
    vec![
        b"x-user-id: \xff\xfe\x80".to_vec(),
        b"x-user-id: \xc3\x28\r\nx-user-id: second".to_vec(),
        b"x-user-id:".to_vec(),
        long(b"x-user-id: ", 0xfe),
        long(b"cookie: uid=", b'c'),
        [&b"cookie: "[..], &b"a=b; ".repeat(12_000)].concat(),
        b"cookie: uid=\xff\xfe; uid\r\ncookie: =; ;; uid = \"".to_vec(),
        b"x-bluegreen-cluster: green\r\nx-bluegreen-cluster: blue".to_vec(),
        b"x-bluegreen-cluster: no-such-cluster".to_vec(),
        b"X-BLUEGREEN-CLUSTER: \xff\xfe".to_vec(),
        b"x-bluegreen: \xff".to_vec(),
        b"content-type: application/grpc\xff".to_vec(),
        b"x-nothing: no key".to_vec(),
    ]
}

#[tokio::test]
async fn nothing_that_they_send_harms_the_filter() {
    let fields = json!({
        "sticky": [{ "header": "x-user-id" }, { "cookie": "uid" }, { "query": "user" }],
        "override": { "header": "x-bluegreen", "require": "internal" },
    });
    let policy = config("lean", with(counting(), fields));
    let env = TestEnv::start_with(|envoy| without_responses(envoy.config(policy))).await;
    let lines = odd_lines();
    let paths = ["/", "/?user=%ff%00", "/?&&=&user", "/?user=%zz"];
    let mut sent = 0;
    for line in &lines {
        for path in paths {
            let head = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n");
            let request = [head.as_bytes(), line, b"\r\n\r\n"].concat();
            let answer = env.raw(request).await;
            let shown = String::from_utf8_lossy(&line[..line.len().min(60)]);
            assert!(answer.starts_with(b"HTTP/1.1 200 "), "{path} {shown}");
            sent += 1;
        }
    }
    // What Envoy refuses itself never was a request.
    let too_large = [
        &b"GET / HTTP/1.1\r\nhost: a\r\ncookie: "[..],
        &[b'c'; 70_000],
    ]
    .concat();
    let answer = env.raw([&too_large[..], b"\r\n\r\n"].concat()).await;
    assert!(answer.starts_with(b"HTTP/1.1 431 "));

    let report = Load::to(env.envoy.addr())
        .count(100)
        .run(|i| as_user(&format!("user-{i}")))
        .await;
    for (outcome, user) in report.outcomes.iter().zip(users()) {
        assert_eq!(outcome.served_by.as_deref(), Some(color(&user)), "{user}");
    }
    sent += report.sent();
    env.assert_all_workers_took_connections().await;
    for upstream in [&env.blue, &env.green] {
        for received in upstream.received() {
            assert_eq!(received.header("x-bluegreen-cluster"), None, "{received:?}");
        }
    }
    wait_for_count(&env, "bluegreen_requests_total", &[], sent).await;
    wait_for_count(&env, "bluegreen_guard_finished_total", &[], sent).await;
    wait_for_count(&env, "bluegreen_failures_total", &[], 0).await;
    env.assert_no_vm_died().await;
}
