//! Each source of the key, end to end: the key decides, and decides as the contract says.

use std::collections::HashSet;

use serde_json::{Value, json};
use testbed::{Request, TestEnv, bucket, color, get};

use crate::common::{HALF, OUR_FILTER, config, key_of, rollout, server};

/// A filter before ours leaves these in the dynamic metadata.
const METADATA_FILTERS: &str = r#"- name: envoy.filters.http.header_to_metadata
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config
              request_rules:
              - header: x-subject
                on_header_present: { metadata_namespace: test.subject, key: sub, type: STRING }
          - name: envoy.filters.http.set_metadata
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config
              metadata:
              - metadata_namespace: envoy.filters.http.jwt_authn
                value: { payload: { sub: alice } }
          "#;

/// Each of many keys gets its color, over HTTP/1.1 and HTTP/2.
async fn assert_key_decides(sticky: Value, request: impl Fn(&str) -> Request) {
    let env = TestEnv::start(config(HALF, sticky)).await;
    let mut colors = HashSet::new();
    for client in [env.http1(), env.http2()] {
        for i in 0..40 {
            let key = format!("user-{i}");
            let expected = color("demo", &key, HALF);
            assert_eq!(server(&client.send(request(&key)).await), expected, "{key}");
            colors.insert(expected);
        }
    }
    assert_eq!(colors.len(), 2);
    assert_reasons(&env, "sticky", 80.0).await;
}

/// All requests were decided for this reason.
async fn assert_reasons(env: &TestEnv, reason: &str, count: f64) {
    let metrics = env.envoy.metrics().await;
    let requests = |labels| metrics.get("bluegreen_requests_total", labels);
    assert_eq!(
        (requests(&[("reason", reason)]), requests(&[])),
        (count, count)
    );
}

#[tokio::test]
async fn a_header_decides() {
    let request = |key: &str| get("/").header("x-user-id", key);
    assert_key_decides(json!([{ "header": "X-User-Id" }]), request).await;
}

#[tokio::test]
async fn a_cookie_decides() {
    let request = |key: &str| {
        get("/")
            .header("cookie", "theme=dark; xuid=no")
            .header("cookie", format!("a=b=c; uid={key}; uid=second"))
    };
    assert_key_decides(json!([{ "cookie": "uid" }]), request).await;
}

#[tokio::test]
async fn a_query_parameter_decides() {
    let request = |key: &str| get(&format!("/search?superuser=no&user={key}&user=second"));
    assert_key_decides(json!([{ "query": "user" }]), request).await;
}

#[tokio::test]
async fn metadata_of_an_earlier_filter_decides() {
    let path = json!([{ "metadata": ["test.subject", "sub"] }]);
    let env = TestEnv::start_with(|envoy| {
        envoy
            .config(config(HALF, path))
            .edit_bootstrap(OUR_FILTER, &format!("{METADATA_FILTERS}{OUR_FILTER}"))
    })
    .await;
    let client = env.http1();
    for i in 0..40 {
        let key = format!("user-{i}");
        let response = client.send(get("/").header("x-subject", &key)).await;
        assert_eq!(server(&response), color("demo", &key, HALF), "{key}");
    }
    assert_reasons(&env, "sticky", 40.0).await;

    // A value further down, as a JWT's payload has it.
    let nested = json!([{ "metadata": ["envoy.filters.http.jwt_authn", "payload", "sub"] }]);
    let edge = bucket("demo", "alice");
    for (green, expected) in [(edge, "blue"), (edge + 1, "green")] {
        env.push(config(green, nested.clone())).await;
        assert_eq!(server(&client.get("/").await), expected);
    }
}

#[tokio::test]
async fn the_clients_address_decides() {
    let env = TestEnv::start(config(HALF, json!(["source_ip"]))).await;
    let mut colors = HashSet::new();
    for last in 1..=40 {
        let client = env
            .http1()
            .from_ip([127, 0, 0, last])
            .connection_per_request();
        let expected = color("demo", format!("127.0.0.{last}"), HALF);
        for forged in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
            let response = client
                .send(get("/").header("x-forwarded-for", forged))
                .await;
            assert_eq!(server(&response), expected, "127.0.0.{last}");
        }
        colors.insert(expected);
    }
    assert_eq!(colors.len(), 2);
    assert_reasons(&env, "sticky", 120.0).await;
}

#[tokio::test]
async fn keys_may_be_any_bytes() {
    let env = TestEnv::start(config(HALF, json!([{ "header": "x-user-id" }]))).await;
    let client = env.http1();
    let long = vec![b'k'; 20_000];
    let keys: [&[u8]; 5] = [
        b"\xff\xfe",
        b"\xc3\x28",
        "Zoë 東京".as_bytes(),
        b"a\tb;=,",
        &long,
    ];
    for key in keys {
        let response = client.send(get("/").header("x-user-id", key)).await;
        assert_eq!(server(&response), color("demo", key, HALF), "{key:?}");
    }
    assert_reasons(&env, "sticky", 5.0).await;
}

#[tokio::test]
async fn the_first_source_that_is_there_decides() {
    let sticky = json!([{ "header": "x-user-id" }, { "cookie": "uid" }, { "query": "user" }]);
    let env = TestEnv::start(config(HALF, sticky)).await;
    let client = env.http1();
    let (blue, green) = (key_of("demo", "blue", HALF), key_of("demo", "green", HALF));
    for (first, second, expected) in [(&blue, &green, "blue"), (&green, &blue, "green")] {
        let header = get(&format!("/?user={second}"))
            .header("x-user-id", first)
            .header("cookie", format!("uid={second}"));
        let cookie = get(&format!("/?user={second}")).header("cookie", format!("uid={first}"));
        let query = get(&format!("/?user={first}"));
        let empty = query
            .clone()
            .header("x-user-id", "")
            .header("cookie", "uid=; uid=\"\"");
        for request in [header, cookie, query, empty] {
            assert_eq!(
                server(&client.send(request.clone()).await),
                expected,
                "{request:?}"
            );
        }
    }
    assert_reasons(&env, "sticky", 8.0).await;
}

#[tokio::test]
async fn a_user_keeps_the_color_over_many_connections_and_both_workers() {
    let env = TestEnv::start(config(HALF, json!([{ "header": "x-user-id" }]))).await;
    let client = env.http1().connection_per_request();
    for wanted in ["blue", "green"] {
        let key = key_of("demo", wanted, HALF);
        for _ in 0..200 {
            let response = client.send(get("/").header("x-user-id", &key)).await;
            assert_eq!(server(&response), wanted);
        }
    }
    let workers = env.connections_per_worker().await;
    assert_eq!(workers.len(), 2);
    assert!(workers.iter().all(|&count| count > 20), "{workers:?}");
    assert_eq!(workers.iter().sum::<u64>(), 400);
}

#[tokio::test]
async fn one_salt_gives_a_user_one_bucket_in_all_rollouts() {
    let by_path = |name: &str, salt: &str| {
        let mut rollout = rollout(name, HALF, json!([{ "header": "x-user-id" }]));
        rollout["salt"] = json!(salt);
        rollout["match"] = json!({ "path_prefix": format!("/{name}") });
        rollout
    };
    let rollouts = [
        by_path("a", "same"),
        by_path("b", "same"),
        by_path("c", "other"),
    ];
    let env = TestEnv::start(json!({ "rollouts": rollouts })).await;
    let client = env.http1();
    let mut drawn_anew = 0;
    for i in 0..60 {
        let key = format!("user-{i}");
        let mut served = Vec::new();
        for path in ["/a", "/b", "/c"] {
            let response = client.send(get(path).header("x-user-id", &key)).await;
            served.push(server(&response).to_owned());
        }
        let same = color("same", &key, HALF);
        assert_eq!(served, [same, same, color("other", &key, HALF)], "{key}");
        drawn_anew += usize::from(served[2] != served[0]);
    }
    assert!(drawn_anew > 0);
}
