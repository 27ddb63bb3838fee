//! The header that names the color.

use serde_json::json;
use testbed::{TestEnv, get};

use crate::common::{HALF, config, key_of, server};

#[tokio::test]
async fn the_color_header_tells_upstream_and_client() {
    let mut policy = config(HALF, json!([{ "header": "x-user-id" }]));
    policy["color_header"] = json!("x-bluegreen-color");
    let env = TestEnv::start(policy).await;
    for wanted in ["blue", "green"] {
        let other = if wanted == "blue" { "green" } else { "blue" };
        let request = get("/")
            .header("x-user-id", key_of("demo", wanted, HALF))
            .header("x-bluegreen-color", other)
            .header("x-bluegreen-color", "purple")
            .header("x-test-response-header", "x-bluegreen-color: purple");
        for client in [env.http1(), env.http2()] {
            let response = client.send(request.clone()).await;
            assert_eq!(server(&response), wanted);
            let to_client: Vec<_> = response
                .headers
                .get_all("x-bluegreen-color")
                .iter()
                .collect();
            assert_eq!(to_client, [wanted]);
            let upstream = if wanted == "blue" {
                &env.blue
            } else {
                &env.green
            };
            assert_eq!(
                upstream.last().header_all("x-bluegreen-color"),
                [wanted.as_bytes()]
            );
        }
    }
}

#[tokio::test]
async fn without_a_color_header_the_clients_own_passes() {
    let env = TestEnv::start(config(0, json!([]))).await;
    let response = env
        .http1()
        .send(get("/").header("x-bluegreen-color", "red"))
        .await;
    assert_eq!(response.header("x-bluegreen-color"), None);
    assert_eq!(
        env.blue.last().header("x-bluegreen-color"),
        Some(&b"red"[..])
    );
}
