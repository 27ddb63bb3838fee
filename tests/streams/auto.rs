//! What `slow_after: auto` learns.

use serde_json::json;
use testbed::{Behavior, Load, get};

use crate::common::{env, stream};

#[tokio::test]
async fn auto_learns_the_time_to_the_first_token() {
    let env = env(json!({
        "weights": { "blue": 99, "green": 1 },
        "guard": { "sequential": {}, "slow_after": "auto" }, "stream": stream(),
    }))
    .await;
    env.blue.set(Behavior {
        first_chunk_delay: std::time::Duration::from_millis(500),
        ..Behavior::default()
    });
    let load = Load::to(env.envoy.addr())
        .connections(20)
        .start(|i| get("/").header("x-user-id", format!("user-{i}")));
    let line = env.envoy.wait_for_log("a response is slow after").await;
    load.stop().await;
    let ms = line
        .split("slow after ")
        .nth(1)
        .and_then(|it| it.split(' ').next());
    let ms: u64 = ms.and_then(|it| it.parse().ok()).expect("milliseconds");
    assert!(ms >= 500, "{line}");
}
