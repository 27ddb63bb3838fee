//! What happens where Envoy does not hand bodies of responses to the filter.

use serde_json::json;
use testbed::{Behavior, EnvoyBuilder, get};

use crate::common::{BODIES, env_with, events, rollout, stream, wait_for};

const MISSING: &str = "bodies of responses do not reach the filter";

#[tokio::test]
async fn the_log_says_that_bodies_do_not_come_and_slow_goes_by_the_start() {
    let guard =
        json!({ "window": "60s", "min_requests": 20, "slow_after": "1s", "max_slow_rate": 50 });
    let rollout = rollout("demo", json!({ "guard": guard, "stream": stream() }));
    let withheld = |envoy: EnvoyBuilder| envoy.concurrency(1).withhold(BODIES);
    let env = env_with(json!({ "rollouts": [rollout] }), withheld).await;
    env.blue.set(Behavior {
        first_chunk_delay: std::time::Duration::from_millis(1_500),
        ..Behavior::default()
    });
    for _ in 0..2 {
        env.http1().send(get("/")).await;
    }
    let line = env.envoy.wait_for_log(MISSING).await;
    assert!(
        line.contains("rollout demo: ") && line.contains(BODIES),
        "{line}"
    );
    env.blue.set(Behavior::default());
    env.http1().send(events(&["event: error\\n\\n"])).await;
    wait_for(&env, "bluegreen_guard_finished_total", "blue", 3).await;
    wait_for(&env, "bluegreen_guard_slow_total", "blue", 0).await;
    wait_for(&env, "bluegreen_failures_total", "blue", 0).await;
    let log = env.envoy.log();
    assert_eq!(log.lines().filter(|line| line.contains(MISSING)).count(), 1);
}
