//! Others go on while some client, or a bad day, keeps a worker busy. What that takes them is held against
//! what as much harmless traffic takes them on the same Envoy.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Load, Report, Request, TestEnv, get};

use crate::common::{guard, rollout};

const OTHERS_PER_SECOND: f64 = 200.0;

/// Turns of each kind: a busy machine hits both alike.
const TURNS: usize = 3;

/// What others see while `load` flows.
async fn others(env: &TestEnv, load: Load, request: Request) -> Report {
    let request = Arc::new(request);
    let load = load.start(move |_| Request::clone(&request));
    let others = Load::to(env.envoy.addr())
        .connections(32)
        .per_second(OTHERS_PER_SECOND)
        .count(300)
        .run(|_| get("/others"))
        .await;
    load.stop().await;
    assert_eq!(others.failed(), 0, "{:?}", others.by_status());
    others
}

fn median(mut medians: Vec<Duration>) -> Duration {
    medians.sort_unstable();
    medians[medians.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_cookies_do_not_stall_others() {
    let sticky = json!([{ "cookie": "uid" }]);
    let env =
        TestEnv::start(json!({ "rollouts": [rollout("demo", json!({ "sticky": sticky }))] })).await;
    let [hostile, harmless] = ["uid=", "vid="].map(|pair| {
        let cookie = format!("x{}", pair.repeat(14_500));
        get("/").header("cookie", cookie)
    });
    let load = || Load::to(env.envoy.addr()).connections(15).per_second(15.0);
    let (mut attacked, mut calm) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        calm.push(others(&env, load(), harmless.clone()).await.latency(50.0));
        attacked.push(others(&env, load(), hostile.clone()).await.latency(50.0));
    }
    let (attacked, calm) = (median(attacked), median(calm));
    assert!(
        attacked <= calm.mul_f64(1.5),
        "{attacked:?} beside {calm:?}"
    );
}

/// So many guards trip within a tick of each other.
const GUARDS: u64 = 999;

fn many_guards() -> Value {
    let fields = |index: u64| {
        let limits = json!({ "min_requests": 1, "max_error_rate": 0 });
        let path = format!("/r{index}/");
        json!({ "match": { "path_prefix": path }, "guard": testbed::with(guard(json!({})), limits) })
    };
    let rollouts = (0..GUARDS).map(|index| rollout(&format!("r{index}"), fields(index)));
    json!({ "rollouts": rollouts.collect::<Vec<Value>>() })
}

/// The slowest of the others, while each rollout gets a request that is answered so.
async fn slowest_beside(env: &TestEnv, status: &'static str) -> Duration {
    let each = Load::to(env.envoy.addr()).connections(16).count(GUARDS);
    let each = each.start(move |i| get(&format!("/r{i}/")).header("x-test-status", status));
    let others = Load::to(env.envoy.addr())
        .connections(32)
        .per_second(OTHERS_PER_SECOND)
        .count(600)
        .run(|_| get("/others"))
        .await;
    assert_eq!(each.finish().await.sent(), GUARDS);
    assert_eq!(others.failed(), 0, "{:?}", others.by_status());
    others.latency(99.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guards_that_trip_all_at_once_do_not_stall_others() {
    let env = TestEnv::start(many_guards()).await;
    let calm = slowest_beside(&env, "404").await;
    let tripping = slowest_beside(&env, "500").await;
    let all = |trips| trips == GUARDS as f64;
    env.envoy
        .wait_for_metric("bluegreen_guard_trips_total", &[], all)
        .await;
    // A stall of a few milliseconds each would come to more than a second.
    let allowed = calm.max(Duration::from_millis(10)) * 10;
    assert!(tripping <= allowed, "{tripping:?} beside {calm:?}");
}
