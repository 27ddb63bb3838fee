//! The roles of blue and green swapped, as an operator does it: push by push, under load.

use serde_json::{Value, json};
use testbed::{Behavior, Load, TestEnv};

use crate::common::{USERS, as_user, colors, config, expected_colors, user_from, weights};
use crate::guarded::{send, wait_for_rollback, with_guard};

fn policy(stable: &str, green: u32) -> Value {
    let guard = with_guard(json!({ "min_requests": 100, "max_error_rate": 5 }));
    config(json!({ "stable": stable, "weights": weights(green), "guard": guard }))
}

/// How many users moved.
fn moved(before: &[String], after: &[String]) -> usize {
    before.iter().zip(after).filter(|(a, b)| a != b).count()
}

#[tokio::test]
async fn no_user_moves_in_a_role_swap_but_those_who_should() {
    let env = TestEnv::start(policy("blue", 0)).await;
    let load = Load::to(env.envoy.addr())
        .per_second(300.0)
        .start(|i| as_user(&format!("user-{}", i % USERS as u64)));
    let mut before = colors(&env).await;
    assert_eq!(before, expected_colors(0));

    for green in [5, 25, 50, 100] {
        env.push(policy("blue", green)).await;
        let after = colors(&env).await;
        assert_eq!(after, expected_colors(green), "green at {green} %");
        let moved_to_green = after.iter().filter(|it| *it == "green").count()
            - before.iter().filter(|it| *it == "green").count();
        assert_eq!(moved(&before, &after), moved_to_green);
        before = after;
    }

    env.push(policy("green", 100)).await;
    assert_eq!(
        moved(&before, &colors(&env).await),
        0,
        "green becomes stable"
    );

    // Blue has no traffic while it gets its new version.
    let blue = env.blue.count();
    let mut new_version = Behavior::default();
    let number = "3".parse().expect("a header value");
    new_version.headers.insert("x-version", number);
    env.blue.set(new_version);
    assert_eq!(moved(&before, &colors(&env).await), 0, "blue is replaced");
    assert_eq!(env.blue.count(), blue);

    env.push(policy("green", 95)).await;
    let after = colors(&env).await;
    assert_eq!(after, expected_colors(95), "blue at 5 %");
    assert!(moved(&before, &after) > 0);
    let on_blue = user_from(96);
    let response = env.http1().send(as_user(&on_blue)).await;
    assert_eq!(response.header("x-version"), Some("3"));

    let report = load.stop().await;
    assert_eq!(report.failed(), 0, "{:?}", report.by_status());
    assert!(report.served_by("blue") > 0 && report.served_by("green") > 0);

    // Now blue is the color that can be rolled back.
    env.blue.set(Behavior::status(500));
    send(&env, &on_blue, 200).await;
    wait_for_rollback(&env, "green", "error_rate").await;
}
