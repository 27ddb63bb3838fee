//! What a client says of itself, and what the log says of a rollback.

use serde_json::json;
use testbed::{Behavior, TestEnv, get, merge};

use crate::common::{config, guard, send, wait_for_rollback, watched};

#[tokio::test]
async fn the_color_header_is_never_the_clients_where_no_rollout_matches() {
    let mut config = config(json!({ "match": { "path_prefix": "/demo" } }));
    merge(&mut config, json!({ "color_header": "x-color" }));
    let env = TestEnv::start(config).await;
    for client in [env.http1(), env.http2()] {
        let forged = get("/none")
            .header("x-color", "green")
            .header("x-color", "blue");
        client.send(forged).await;
        assert_eq!(env.blue.last().header("x-color"), None);
    }
}

#[tokio::test]
async fn a_push_during_a_rollback_says_that_it_stays() {
    let mut config = config(json!({ "guard": guard(json!({ "max_error_rate": 5 })) }));
    let env = watched(config.clone(), |envoy| envoy).await;
    env.green.set(Behavior::status(500));
    send(&env, 20, get("/"), 500).await;
    wait_for_rollback(&env, "error_rate").await;
    let stays = "rollout demo: stays rolled back to blue (error_rate)";
    assert!(!env.envoy.log().contains(stays));
    merge(&mut config, json!({ "version": "2" }));
    env.push(config).await;
    env.envoy.wait_for_log(stays).await;
}
