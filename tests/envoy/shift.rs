//! Weights: how many users each color gets, and who moves when they change.

use std::ops::RangeInclusive;

use serde_json::{Value, json};
use testbed::{Load, Request, TestEnv, bucket, color, get};

use crate::common::{config, weights};

/// The chance that a right split fails a statistical test here.
const LEVEL: f64 = 1e-6;

fn by_user() -> Value {
    json!([{ "header": "x-user-id" }])
}

fn user(index: u64) -> Request {
    get("/").header("x-user-id", format!("user-{index}"))
}

/// Who serves each of the first users.
async fn served(env: &TestEnv, users: u64) -> Vec<String> {
    let report = Load::to(env.envoy.addr()).count(users).run(user).await;
    let served_by = report.outcomes.into_iter().map(|outcome| outcome.served_by);
    served_by.map(|server| server.expect("an answer")).collect()
}

/// Who should serve them by the contract's rule.
fn ruled(users: u64, green_millipercent: u32) -> Vec<&'static str> {
    (0..users)
        .map(|i| color("demo", format!("user-{i}"), green_millipercent))
        .collect()
}

/// The counts that `n` draws with chance `p` stay within, but for a chance of [`LEVEL`]: half of it
/// on each side (exact two-sided binomial test).
fn binomial_bounds(n: u64, p: f64) -> RangeInclusive<u64> {
    if p == 0.0 || p == 1.0 {
        let count = if p == 0.0 { 0 } else { n };
        return count..=count;
    }
    let odds = (p / (1.0 - p)).ln();
    let mut log_chance = n as f64 * (-p).ln_1p();
    let (mut low, mut high, mut below) = (0, n, 0.0);
    for k in 0..=n {
        let chance = log_chance.exp();
        if below + chance < LEVEL / 2.0 {
            low = k + 1;
        }
        if below + chance > 1.0 - LEVEL / 2.0 {
            high = k;
            break;
        }
        below += chance;
        log_chance += ((n - k) as f64 / (k + 1) as f64).ln() + odds;
    }
    low..=high
}

#[test]
fn binomial_bounds_are_exact() {
    // From sums of the exact chances as fractions.
    assert_eq!(binomial_bounds(4_000, 0.5), 1_845..=2_155);
    assert_eq!(binomial_bounds(4_000, 0.01), 13..=74);
    assert_eq!(binomial_bounds(4_000, 0.00001), 0..=3);
    assert_eq!(binomial_bounds(4_000, 1.0), 4_000..=4_000);
}

#[tokio::test]
async fn a_ramp_in_small_steps_moves_no_user_back() {
    const USERS: u64 = 300;
    let env = TestEnv::start(config(0, by_user())).await;
    let mut before = served(&env, USERS).await;
    assert_eq!(before, ruled(USERS, 0));
    let (up, down) = (
        (1..=20).map(|i| i * 5_000),
        (0..20).rev().map(|i| i * 5_000),
    );
    let mut from = 0;
    for to in up.chain(down) {
        env.push(config(to, by_user())).await;
        let now = served(&env, USERS).await;
        let grows = if to > from { "green" } else { "blue" };
        for (user, (before, now)) in before.iter().zip(&now).enumerate() {
            let stays = before == now || now == grows;
            assert!(
                stays,
                "user-{user} moved from {before} to {now} as green went from {from} to {to}"
            );
        }
        assert_eq!(now, ruled(USERS, to), "at {to}");
        (before, from) = (now, to);
    }
}

#[tokio::test]
async fn the_split_is_exact_for_users_and_fair_at_random() {
    const REQUESTS: u64 = 3_000;
    let env = TestEnv::start(config(0, json!([]))).await;
    for green in [0, 1, 1_000, 50_000, 99_999, 100_000] {
        let expected = binomial_bounds(REQUESTS, f64::from(green) / 100_000.0);

        env.push(config(green, json!([]))).await;
        let load = Load::to(env.envoy.addr()).count(REQUESTS);
        let report = load.run(|_| get("/")).await;
        assert_eq!(report.failed(), 0);
        let random = report.served_by("green");
        assert!(
            expected.contains(&random),
            "{random} of {expected:?} at random, green {green}"
        );

        env.push(config(green, by_user())).await;
        let served = served(&env, REQUESTS).await;
        assert_eq!(served, ruled(REQUESTS, green), "green {green}");
        let users = served.iter().filter(|color| *color == "green").count() as u64;
        assert!(
            expected.contains(&users),
            "{users} of {expected:?} users, green {green}"
        );
    }
}

/// At 0.001 % and 99.999 % one bucket in 100,000 is alone.
#[tokio::test]
async fn a_thousandth_of_a_percent_is_one_bucket() {
    let env = TestEnv::start(config(0, by_user())).await;
    let client = env.http1();
    let user_in = |wanted: u32| {
        let keys = (0..).map(|i| format!("user-{i}"));
        keys.into_iter()
            .find(|key| bucket("demo", key) == wanted)
            .expect("a key")
    };
    for (green, last_green) in [(1, 0), (99_999, 99_998)] {
        env.push(config(green, by_user())).await;
        for (bucket, expected) in [(last_green, "green"), (last_green + 1, "blue")] {
            let request = get("/").header("x-user-id", user_in(bucket));
            let response = client.send(request).await;
            assert_eq!(
                response.served_by(),
                Some(expected),
                "bucket {bucket} at {green}"
            );
        }
    }
}

#[tokio::test]
async fn a_full_swap_is_seen_in_the_next_requests() {
    let env = TestEnv::start(config(0, by_user())).await;
    for (green, expected) in [(100_000, "green"), (0, "blue"), (100_000, "green")] {
        env.push(config(green, by_user())).await;
        assert!(
            served(&env, 50)
                .await
                .iter()
                .all(|server| server == expected)
        );
    }
}

#[tokio::test]
async fn each_color_names_its_own_cluster() {
    let crossed = json!({ "rollouts": [{
        "name": "crossed",
        "clusters": { "blue": "green", "green": "blue" },
        "weights": weights(100_000),
    }] });
    let env = TestEnv::start(crossed).await;
    assert_eq!(env.http1().get("/").await.served_by(), Some("blue"));
    let requests = [
        ("rollout", "crossed"),
        ("color", "green"),
        ("reason", "random"),
    ];
    assert_eq!(
        env.envoy
            .metrics()
            .await
            .get("bluegreen_requests_total", &requests),
        1.0
    );
}

#[tokio::test]
async fn two_envoys_agree_whatever_weights_they_had_before() {
    const USERS: u64 = 300;
    let one = TestEnv::start(config(25_000, by_user())).await;
    let other = TestEnv::start(config(90_000, by_user())).await;
    other.push(config(25_000, by_user())).await;
    let served_by_one = served(&one, USERS).await;
    assert_eq!(served_by_one, served(&other, USERS).await);
    assert_eq!(served_by_one, ruled(USERS, 25_000));
}
