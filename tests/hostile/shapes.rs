//! Clients that mean harm: nothing they send kills a VM, makes a 5xx, or chooses the cluster.

use serde_json::{Value, json};
use testbed::{EnvoyBuilder, TestEnv, color, get};

const HALF: u32 = 50_000;

/// All sources, host and path matches, and a gap: `/none` on other hosts fits no rollout.
fn policy() -> Value {
    let rollout = |name: &str, matches: Value| {
        json!({
            "name": name,
            "match": matches,
            "clusters": { "blue": "blue", "green": "green" },
            "weights": { "blue": 50, "green": 50 },
            "sticky": [
                { "header": "x-user-id" },
                { "cookie": "uid" },
                { "query": "user" },
                { "metadata": ["no.such.filter", "key"] },
                { "new_cookie": { "name": "id" } },
            ],
        })
    };
    json!({
        "color_header": "x-bluegreen-color",
        "rollouts": [
            rollout("suffix", json!({ "hosts": ["*.shop.example"] })),
            rollout("exact", json!({ "hosts": ["api.example.com"], "path_prefix": "/v1/" })),
            rollout("path", json!({ "path_prefix": "/p" })),
        ],
    })
}

pub async fn env(options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder) -> TestEnv {
    TestEnv::start_with(|envoy| options(envoy.config(policy()))).await
}

/// The filter is as well as ever, and no upstream ever saw a routing header.
pub async fn assert_unharmed(env: &TestEnv) {
    env.assert_no_vm_died().await;
    for upstream in [&env.blue, &env.green] {
        for received in upstream.received() {
            assert_eq!(received.header("x-bluegreen-cluster"), None, "{received:?}");
            assert_eq!(
                received.header_all("x-bluegreen-color").len(),
                usize::from(received.path.starts_with("/p"))
            );
        }
    }
    let client = env.http1().connection_per_request();
    for i in 0..20 {
        let key = format!("user-{i}");
        let response = client.send(get("/p").header("x-user-id", &key)).await;
        assert_eq!(response.served_by(), Some(color("path", &key, HALF)));
    }
    env.assert_all_workers_took_connections().await;
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get("bluegreen_failures_total", &[]), 0.0);
}

/// The status of the answer to bytes on the wire; `None` where Envoy just hangs up.
async fn status(env: &TestEnv, bytes: &[u8]) -> Option<u16> {
    let answer = env.raw(bytes).await;
    let line = String::from_utf8_lossy(answer.get(..12)?).into_owned();
    let status = line
        .strip_prefix("HTTP/1.1 ")
        .or(line.strip_prefix("HTTP/1.0 "));
    Some(
        status
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("{line}")),
    )
}

/// `GET` of a path that a rollout matches, with these header lines.
fn with_lines(lines: &[&[u8]]) -> Vec<u8> {
    let mut request = b"GET /p HTTP/1.1\r\nconnection: close\r\n".to_vec();
    for line in lines {
        request.extend_from_slice(line);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

#[tokio::test]
async fn odd_header_values_are_served_as_any_other() {
    let env = env(|envoy| envoy).await;
    let huge = [&b"cookie: uid="[..], &vec![b'c'; 50_000]].concat();
    let many = [&b"cookie: "[..], &b"a=b; ".repeat(10_000)].concat();
    let separators = [&b"cookie: "[..], &b";=".repeat(25_000)].concat();
    let key = [&b"x-user-id: "[..], &vec![0xfe; 50_000]].concat();
    let dots = [&b"host: "[..], &b"a.".repeat(100), b"shop.example"].concat();
    let longer_than_dns = [&b"host: "[..], &b"a.".repeat(5_000), b"shop.example"].concat();
    let host = &b"host: a"[..];
    let table: &[&[&[u8]]] = &[
        &[
            host,
            b"x-bluegreen-cluster: green",
            b"x-bluegreen-cluster: blue",
        ],
        &[host, b"X-BLUEGREEN-CLUSTER: no-such-cluster"],
        &[host, b"x-bluegreen-cluster: \xff\xfe"],
        &[host, b"x-bluegreen-cluster:"],
        &[
            host,
            b"x-bluegreen-color: \xff",
            b"x-bluegreen-color: green",
        ],
        &[host, b"x-user-id: \xff\xfe\x80", b"x-user-id: \xc3\x28"],
        &[host, b"x-user-id:", b"x-user-id: \t ", b"x-user-id: last"],
        &[host, &key],
        &[host, &huge],
        &[host, &many],
        &[host, &separators],
        &[host, b"cookie: uid=\xff\xfe; uid"],
        &[
            host,
            b"cookie: =; ;; uid = \"; uid=\"\"; =uid",
            b"cookie:",
            b"cookie: uid=x=y=\"z",
        ],
        &[&dots],
        &[&longer_than_dns],
        &[b"host: .shop.example"],
        &[b"host: ..shop.example:80:81"],
        &[b"host: a.shop.example:"],
        &[b"host: [::1]:80"],
        &[b"host: API.EXAMPLE.COM."],
    ];
    for lines in table {
        let seen = status(&env, &with_lines(lines)).await;
        let lines: Vec<_> = lines
            .iter()
            .map(|line| String::from_utf8_lossy(&line[..line.len().min(60)]))
            .collect();
        assert_eq!(seen, Some(200), "{lines:?}");
    }
    assert_unharmed(&env).await;
}

#[tokio::test]
async fn what_envoy_refuses_harms_nothing() {
    let env = env(|envoy| envoy).await;
    let too_large = [&b"cookie: uid="[..], &vec![b'c'; 70_000]].concat();
    let table: [(&[u8], u16); 14] = [
        // No host: Envoy answers before the filter sees the request.
        (b"GET /p HTTP/1.1\r\nconnection: close\r\n\r\n", 400),
        (
            b"GET /p HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n",
            200,
        ),
        (
            b"GET /p HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
            200,
        ),
        (
            b"GET /p HTTP/1.1\r\nhost: \xff.shop.example\r\nconnection: close\r\n\r\n",
            400,
        ),
        (b"GET /p HTTP/1.0\r\n\r\n", 426),
        (
            b"GET /p?user=\xff HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            400,
        ),
        (
            b"GET p HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            400,
        ),
        (
            b"GET /%00 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            400,
        ),
        (
            b"G\xffT /p HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            400,
        ),
        (
            b"CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\nconnection: close\r\n\r\n",
            404,
        ),
        (
            b"GET /p HTTP/1.1\r\nhost: a\r\nbad name: x\r\nconnection: close\r\n\r\n",
            400,
        ),
        (
            b"GET /p HTTP/1.1\r\nhost: a\r\n: x\r\nconnection: close\r\n\r\n",
            400,
        ),
        (
            b"GET /p HTTP/1.1\r\nhost: a\r\nx-user-id: a\0b\r\nconnection: close\r\n\r\n",
            400,
        ),
        (&with_lines(&[b"host: a", &too_large]), 431),
    ];
    for (bytes, expected) in table {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        let seen = status(&env, bytes)
            .await
            .unwrap_or_else(|| panic!("no answer to {shown}"));
        assert_eq!(seen, expected, "{shown}");
    }
    assert_unharmed(&env).await;
}

#[tokio::test]
async fn http_1_0_without_a_host_and_odd_methods_are_served() {
    let http_10 = "stat_prefix: ingress\n          http_protocol_options: \
        { accept_http_10: true, default_host_for_http_10: legacy }";
    let env = env(|envoy| envoy.edit_bootstrap("stat_prefix: ingress", http_10)).await;
    let forged = b"GET /p HTTP/1.0\r\nx-bluegreen-cluster: green\r\nx-user-id: u\r\n\r\n";
    assert_eq!(status(&env, forged).await, Some(200));
    for method in [
        "HEAD", "OPTIONS", "TRACE", "PATCH", "DELETE", "PURGE", "PROPFIND",
    ] {
        let request = format!("{method} /p HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        assert_eq!(
            status(&env, request.as_bytes()).await,
            Some(200),
            "{method}"
        );
    }
    let absolute = b"GET http://a.shop.example/p HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n";
    assert_eq!(status(&env, absolute).await, Some(200));
    let star = b"OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    assert!(status(&env, star).await.is_some_and(|status| status < 500));
    assert_unharmed(&env).await;
}

#[tokio::test]
async fn malformed_queries_are_served() {
    let env = env(|envoy| envoy).await;
    let client = env.http1();
    let long = format!("/p?{}user=", "user=&".repeat(5_000));
    let queries = [
        "/p?",
        "/p??",
        "/p?&&&=&=",
        "/p?user",
        "/p?user=",
        "/p?=user",
        "/p?user=%",
        "/p?user=%zz&user==",
        "/p?user=%ff%00",
        "/p?a?user=x",
        "/p?user=a;user=b",
        &long,
    ];
    for path in queries {
        let response = client.send(get(path)).await;
        assert_eq!(response.status, 200, "{path}");
    }
    assert_unharmed(&env).await;
}
