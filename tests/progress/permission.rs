//! Who may override, and who not.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testbed::{TestEnv, get, merge};

use crate::common::{rollout, served_by, weights};
use crate::overrides::{by_cookie, by_header, denied, outsiders, requests, with_override};

const SECRET: &str = "open sesame";

fn by_token() -> Value {
    let sha256: String = Sha256::digest(SECRET)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({ "token": { "header": "x-bluegreen-token", "sha256": sha256 } })
}

#[tokio::test]
async fn internal_is_what_envoy_says_and_not_what_the_client_says() {
    let env = TestEnv::start(with_override(json!("internal"))).await;
    for client in [env.http1(), env.http2()] {
        assert_eq!(served_by(&client, by_header("green")).await, "green");
        assert_eq!(served_by(&client, by_cookie("green")).await, "green");
    }
    let mut expected = 0.0;
    for client in outsiders(&env) {
        let forged = by_header("green").header("x-envoy-internal", "true");
        let requests = [
            by_header("green"),
            by_cookie("green"),
            forged.clone(),
            forged.clone().header("x-envoy-internal", "true"),
            forged.clone().header("x-forwarded-for", "127.0.0.1"),
            forged.header("x-envoy-external-address", "127.0.0.1"),
        ];
        for request in requests {
            let sent = format!("{request:?}");
            assert_eq!(served_by(&client, request).await, "blue", "{sent}");
            expected += 1.0;
        }
    }
    assert_eq!(denied(&env).await, expected);
    assert_eq!(requests(&env, "override", "green").await, 4.0);
    assert_eq!(requests(&env, "random", "blue").await, expected);
}

#[tokio::test]
async fn a_token_is_known_by_its_digest_alone() {
    let env = TestEnv::start(with_override(by_token())).await;
    let digest = by_token()["token"]["sha256"]
        .as_str()
        .expect("a digest")
        .to_owned();
    let clients = [env.http1(), env.http2()]
        .into_iter()
        .chain(outsiders(&env));
    let mut expected = 0.0;
    for client in clients {
        for request in [by_header("green"), by_cookie("green")] {
            let right = request.clone().header("x-bluegreen-token", SECRET);
            assert_eq!(served_by(&client, right).await, "green");
            assert_eq!(served_by(&client, request.clone()).await, "blue");
            expected += 1.0;
            let wrong: [&[u8]; 6] = [
                b"",
                b"open",
                b"OPEN SESAME",
                b"\xff",
                digest.as_bytes(),
                b"no,open sesame",
            ];
            for token in wrong {
                let request = request.clone().header("x-bluegreen-token", token);
                assert_eq!(served_by(&client, request).await, "blue", "{token:?}");
                expected += 1.0;
            }
            let twice = request
                .header("x-bluegreen-token", "open")
                .header("x-bluegreen-token", " sesame");
            assert_eq!(served_by(&client, twice).await, "blue");
            expected += 1.0;
        }
    }
    assert_eq!(denied(&env).await, expected);
    assert_eq!(requests(&env, "override", "green").await, 8.0);
}

#[tokio::test]
async fn the_token_reaches_no_upstream_and_shows_nowhere() {
    let mut policy = with_override(by_token());
    policy["rollouts"][0]["match"] = json!({ "path_prefix": "/mine" });
    let other = json!({ "match": { "path_prefix": "/other" }, "weights": weights(0) });
    let rollouts = policy["rollouts"].as_array_mut().expect("rollouts");
    rollouts.push(rollout("other", other));
    merge(&mut policy, json!({ "color_header": "x-color" }));
    let env = TestEnv::start(policy).await;
    let mut sent = 0;
    for path in ["/mine", "/other", "/unmatched"] {
        for client in [env.http1(), env.http2()] {
            for (wish, tokens) in [
                ("green", &[SECRET][..]),
                ("green", &["wrong sesame"]),
                ("green", &["wrong sesame", SECRET]),
                ("red", &[SECRET]),
            ] {
                let request = get(path)
                    .header("x-bluegreen", wish)
                    .header("x-other", "kept");
                let request = tokens.iter().fold(request, |request, token| {
                    request.header("x-bluegreen-token", token)
                });
                let response = client.send(request).await;
                assert_eq!(response.status, 200);
                assert!(!format!("{response:?}").contains("sesame"));
                sent += 1;
            }
        }
    }
    let received = [env.blue.received(), env.green.received()].concat();
    assert_eq!(received.len(), sent);
    for request in received {
        assert_eq!(
            request.header("x-bluegreen-token"),
            None,
            "{}",
            request.path
        );
        assert!(
            !format!("{request:?}").contains("sesame"),
            "{}",
            request.path
        );
        assert_eq!(request.header("x-other"), Some(&b"kept"[..]));
    }
    assert!(env.green.count() > 0);
    let stats = env.envoy.admin_get("/stats").await;
    for text in [env.envoy.log(), stats] {
        assert!(!text.contains("sesame"));
    }
}
