//! How fast a rollback is, and how many users it spares.

use std::io::Write;
use std::time::Duration;

use serde_json::json;
use testbed::{Behavior, Load, Outcome, PATIENCE, eventually};

use crate::common::{as_user, config, weights};
use crate::guarded::{watched, with_guard};

const REQUESTS_PER_SECOND: f64 = 200.0;
const GREEN_PERCENT: u32 = 10;
const MIN_REQUESTS: usize = 20;
const ALLOWED: Duration = Duration::from_millis(1_500);

/// A controller that looks once in a while and rolls back after so many bad looks.
const INTERVAL: Duration = Duration::from_secs(60);
const THRESHOLD: u32 = 5;

#[tokio::test]
async fn the_rollback_comes_within_a_second_and_a_half_and_then_green_gets_nothing() {
    let limits = json!({ "window": "10s", "min_requests": MIN_REQUESTS, "max_error_rate": 5 });
    let guard = with_guard(limits);
    let env = watched(config(
        json!({ "weights": weights(GREEN_PERCENT), "guard": guard }),
    ))
    .await;
    env.green.set(Behavior::status(500));

    let load = Load::to(env.envoy.addr())
        .connections(16)
        .per_second(REQUESTS_PER_SECOND)
        .start(|i| as_user(&format!("user-{i}")));
    let demo = [("rollout", "demo")];
    env.envoy
        .wait_for_metric("bluegreen_guard_trips_total", &demo, |trips| trips == 1.0)
        .await;
    // Long enough for a hundred more requests on green.
    let enough = load.sent() + 1_000;
    let sent = || async {
        let sent = load.sent();
        if sent >= enough {
            Ok(())
        } else {
            Err(sent.to_string())
        }
    };
    eventually("load after the rollback", PATIENCE, sent).await;
    let report = load.stop().await;

    let mut failed: Vec<&Outcome> = report.outcomes.iter().filter(|it| it.is_failed()).collect();
    failed.sort_unstable_by_key(|outcome| outcome.end);
    let green = |outcome: &Outcome| outcome.served_by.as_deref() == Some("green");
    assert!(
        failed.iter().all(|outcome| green(outcome)),
        "{:?}",
        report.by_status()
    );
    assert_eq!(failed.len() as u64, env.green.count());
    env.assert_all_workers_took_connections().await;

    let twentieth = failed[MIN_REQUESTS - 1].end;
    let last = failed[failed.len() - 1].end;
    let took = last - twentieth;
    assert!(
        took < ALLOWED,
        "green served until {took:?} after the twentieth failure"
    );

    let until_controller = INTERVAL * THRESHOLD;
    let green_per_second = REQUESTS_PER_SECOND * f64::from(GREEN_PERCENT) / 100.0;
    let spared_by_none = green_per_second * until_controller.as_secs_f64();
    // Not through `println!`, which is shown only where a test fails.
    let _ = writeln!(
        std::io::stderr(),
        "rollback: {} users hurt, the last {took:.0?} after failure {MIN_REQUESTS}; \
         an interval of {INTERVAL:?} with threshold {THRESHOLD} hurts {spared_by_none:.0}",
        failed.len(),
    );
}
