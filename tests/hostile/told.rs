//! What a client says of itself, and what the log says of a rollback.

use serde_json::json;
use testbed::{Behavior, TestEnv, get, merge};

use crate::common::{config, guard, send, wait_for_rollback, watched};

#[tokio::test]
async fn the_color_header_is_never_the_clients_where_no_rollout_matches() {
    let mut config = config(json!({ "match": { "path_prefix": "/demo" } }));
    merge(&mut config, json!({ "color_header": "x-color" }));
    let bed = TestEnv::start(config).await;
    for client in [bed.http1(), bed.http2()] {
        let forged = get("/none")
            .header("x-color", "green")
            .header("x-color", "blue");
        client.send(forged).await;
        assert_eq!(bed.blue.last().header("x-color"), None);
    }
}

#[tokio::test]
async fn a_push_during_a_rollback_says_that_it_stays() {
    let mut config = config(json!({ "guard": guard(json!({ "max_error_rate": 5 })) }));
    let bed = watched(config.clone(), |envoy| envoy).await;
    bed.green.set(Behavior::status(500));
    send(&bed, 20, get("/"), 500).await;
    wait_for_rollback(&bed, "error_rate").await;
    let stays = "rollout demo: stays rolled back to blue (error_rate)";
    assert!(!bed.envoy.log().contains(stays));
    merge(&mut config, json!({ "version": "2" }));
    bed.push(config).await;
    bed.envoy.wait_for_log(stays).await;
}
