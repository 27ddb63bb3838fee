//! The decision: which color, and why.

use crate::support::{block, percent, request, rollout};
use bluegreen::{Color, Decision, Headers, Reason, Request, Rollout, Salt, Weights};
use serde_json::json;

fn decide(rollout: &Rollout, headers: &[(&str, &str)]) -> Decision {
    let mut rng = fastrand::Rng::with_seed(3);
    rollout.decide(&request(&block(headers)), rollout.weights, &mut rng)
}

#[test]
fn key_decides_by_its_bucket() {
    let rollout = rollout(&json!({ "sticky": [{ "header": "x-user-id" }], "salt": "s" }));
    for user in (0..100).map(|user| user.to_string()) {
        let decision = decide(&rollout, &[("x-user-id", &user)]);
        let bucket = Salt::new("s").bucket(user.as_bytes());
        let color = bucket.color(rollout.weights);
        assert_eq!(
            decision,
            Decision {
                color,
                reason: Reason::Sticky,
                user: Some(bucket),
                new_id: None,
                override_denied: false,
                is_copied: false,
            }
        );
    }
}

#[test]
fn salt_is_the_rollouts_name_where_none_is_given() {
    let rollout = rollout(&json!({ "sticky": [{ "header": "x-user-id" }] }));
    for user in (0..100).map(|user| user.to_string()) {
        let color = Salt::new("rec")
            .bucket(user.as_bytes())
            .color(rollout.weights);
        assert_eq!(decide(&rollout, &[("x-user-id", &user)]).color, color);
    }
}

#[test]
fn sources_are_tried_in_their_order() {
    let rollout = rollout(&json!({
        "sticky": [{ "header": "x-user-id" }, { "cookie": "uid" }, { "query": "user" }, "source_ip"],
    }));
    let color = |key: &str| {
        Salt::new("rec")
            .bucket(key.as_bytes())
            .color(rollout.weights)
    };
    // Two neighbours of each pair differ in color, so a wrong order shows.
    let keys: Vec<String> = (0..)
        .map(|it| it.to_string())
        .scan(Color::Blue, |wanted, key| {
            let hit = color(&key) == *wanted;
            *wanted = if hit { wanted.other() } else { *wanted };
            Some(hit.then_some(key))
        })
        .flatten()
        .take(4)
        .collect();
    let (path, cookie) = (format!("/?user={}", keys[2]), format!("uid={}", keys[1]));
    let all = [
        ("x-user-id", keys[0].as_str()),
        ("cookie", &cookie),
        (":path", &path),
    ];
    let address = |_: &[u8]| Some(keys[3].clone().into_bytes());
    for absent in 0..4 {
        let block = block(&all[absent.min(3)..]);
        let request = Request {
            headers: Headers::new(&block),
            property: &address,
        };
        let decision = rollout.decide(&request, rollout.weights, &mut fastrand::Rng::with_seed(1));
        assert_eq!(
            (decision.color, decision.reason),
            (color(&keys[absent]), Reason::Sticky)
        );
    }
}

#[test]
fn empty_key_leaves_it_to_the_next_source() {
    let rollout = rollout(&json!({ "sticky": [{ "header": "x-user-id" }, { "cookie": "uid" }] }));
    let decision = decide(&rollout, &[("x-user-id", ""), ("cookie", "uid=7")]);
    assert_eq!(decision.reason, Reason::Sticky);
    assert_eq!(
        decision.color,
        decide(&rollout, &[("x-user-id", "7")]).color
    );
    assert_eq!(
        decide(&rollout, &[("x-user-id", ""), ("cookie", "uid=")]).reason,
        Reason::Random
    );
}

#[test]
fn request_without_a_key_is_decided_at_random_by_weight() {
    let rollout = rollout(&json!({}));
    let mut rng = fastrand::Rng::with_seed(11);
    let block = block(&[("x-user-id", "7")]);
    let quarter = Weights::giving(Color::Green, percent("25"));
    let decisions = (0..10_000).map(|_| rollout.decide(&request(&block), quarter, &mut rng));
    let greens = decisions.filter(|it| {
        assert_eq!((it.reason, it.new_id), (Reason::Random, None));
        it.color == Color::Green
    });
    // Two-sided binomial test at the level of 1 in 1,000,000: 4.89 standard deviations of 43.3.
    assert!((2_289..=2_711).contains(&greens.count()));
}

#[test]
fn new_id_decides_this_request_and_the_next() {
    let rollout = rollout(
        &json!({ "sticky": [{ "header": "x-user-id" }, { "new_cookie": { "name": "bg" } }] }),
    );
    let mut rng = fastrand::Rng::with_seed(5);
    let mut greens = 0;
    for _ in 0..1_000 {
        let first = rollout.decide(&request(&[]), rollout.weights, &mut rng);
        assert_eq!(first.reason, Reason::Generated);
        let set_cookie = rollout
            .new_cookie
            .as_ref()
            .unwrap()
            .render(first.new_id.unwrap());
        let block = block(&[("cookie", set_cookie.split(';').next().unwrap())]);
        let next = rollout.decide(&request(&block), rollout.weights, &mut rng);
        assert_eq!(
            next,
            Decision {
                reason: Reason::Sticky,
                new_id: None,
                ..first
            }
        );
        greens += u32::from(first.color == Color::Green);
    }
    // As above: 4.89 standard deviations of 15.8.
    assert!((423..=577).contains(&greens), "{greens}");
}

#[test]
fn key_before_the_new_cookie_makes_no_id() {
    let rollout = rollout(
        &json!({ "sticky": [{ "header": "x-user-id" }, { "new_cookie": { "name": "bg" } }] }),
    );
    let decision = decide(&rollout, &[("x-user-id", "7")]);
    assert_eq!((decision.reason, decision.new_id), (Reason::Sticky, None));
}

#[test]
fn reasons_are_named_as_in_the_stats() {
    assert_eq!(
        Reason::ALL.map(Reason::as_str),
        ["sticky", "generated", "random", "override"]
    );
}
