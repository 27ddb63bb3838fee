//! What is accepted, and what it means.

use crate::support::{config, percent, policy, rollout, rollout_json};
use bluegreen::{
    Color, ConfidenceLevel, CookieName, Guard, HeaderName, HostPattern, KeySource, Limits,
    Permission, Policy, Profile, Quality, ReleaseLabel, SlowAfter,
};
use proptest::prelude::*;
use serde_json::json;

/// The example of the contract.
const EXAMPLE: &str = r#"{
  "version": "2026-11-23.1",
  "route_header": "x-bluegreen-cluster",
  "color_header": "x-bluegreen-color",
  "rollouts": [
    {
      "name": "recommender",
      "match": { "hosts": ["api.example.com", "*.shop.example"], "path_prefix": "/v1/" },
      "clusters": { "blue": "recommender-v1", "green": "recommender-v2" },
      "weights": { "blue": 95, "green": 5 },
      "stable": "blue",
      "salt": "recommender",
      "sticky": [
        { "header": "x-user-id" },
        { "cookie": "uid" },
        { "query": "user" },
        { "metadata": ["envoy.filters.http.jwt_authn", "payload", "sub"] },
        "source_ip",
        { "new_cookie": { "name": "bluegreen", "max_age": "30d", "path": "/", "same_site": "lax", "secure": true } }
      ]
    }
  ]
}"#;

fn names(headers: &[HeaderName]) -> Vec<&str> {
    headers.iter().map(HeaderName::as_str).collect()
}

#[test]
fn profile_is_full_unless_another_is_given() {
    let profile = |value: Option<&str>| {
        let mut config = config(&json!({}));
        if let Some(value) = value {
            config["profile"] = json!(value);
        }
        policy(&config).profile
    };
    assert_eq!(profile(None), Profile::Full);
    assert_eq!(profile(Some("full")), Profile::Full);
    assert_eq!(profile(Some("signalled")), Profile::Signalled);
    assert_eq!(profile(Some("lean")), Profile::Lean);
}

#[test]
fn example_means_what_it_says() {
    let policy = Policy::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(policy.version.as_deref(), Some("2026-11-23.1"));
    assert_eq!(policy.route_header.as_str(), "x-bluegreen-cluster");
    assert_eq!(policy.color_header.unwrap().as_str(), "x-bluegreen-color");
    let rollout = &policy.rollouts[0];
    assert_eq!(rollout.name.as_str(), "recommender");
    let hosts = ["api.example.com", "*.shop.example"].map(|host| HostPattern::parse(host).unwrap());
    assert_eq!(rollout.matches.hosts, hosts);
    assert_eq!(rollout.matches.path_prefix, "/v1/");
    assert_eq!(
        Color::ALL.map(|color| rollout.clusters.as_ref().unwrap().of(color).as_str()),
        ["recommender-v1", "recommender-v2"]
    );
    assert_eq!(
        Color::ALL.map(|color| rollout.weights.of(color)),
        ["95", "5"].map(percent)
    );
    assert_eq!(rollout.stable, Color::Blue);
    assert_eq!(rollout.sticky.len(), 6);
    assert_eq!(
        rollout.sticky[1],
        KeySource::Cookie(CookieName::parse("uid").unwrap())
    );
    assert_eq!(rollout.sticky[4], KeySource::SourceIp);
    assert_eq!(
        rollout.sticky[5],
        KeySource::Cookie(CookieName::parse("bluegreen").unwrap())
    );
    let id = bluegreen::NewId::random(&mut fastrand::Rng::with_seed(1));
    assert_eq!(
        rollout.new_cookie.as_ref().unwrap().render(id),
        format!("bluegreen={id}; Path=/; Max-Age=2592000; SameSite=Lax; Secure; HttpOnly")
    );
}

#[test]
fn defaults_are_those_of_the_contract() {
    let policy = policy(&config(&json!({})));
    assert_eq!(policy.version, None);
    assert_eq!(policy.route_header.as_str(), "x-bluegreen-cluster");
    assert_eq!(policy.color_header, None);
    assert!(policy.feedback.is_none());
    assert!(policy.secret_headers.is_empty());
    let rollout = &policy.rollouts[0];
    assert_eq!(rollout.matches.hosts, [HostPattern::Any]);
    assert_eq!(rollout.matches.path_prefix, "");
    assert_eq!(rollout.stable, Color::Blue);
    assert!(rollout.sticky.is_empty() && rollout.new_cookie.is_none());
    assert!(rollout.overrides.is_none() && rollout.ramp.is_none());
    assert!(rollout.guard.is_none() && rollout.quality.is_none());
    assert_eq!(
        (&rollout.releases.blue, &rollout.releases.green),
        (&None, &None)
    );
    assert!(!rollout.measures());
}

#[test]
fn defaults_of_a_new_cookie_are_those_of_the_contract() {
    let rollout = rollout(&json!({ "sticky": [{ "new_cookie": { "name": "a" } }] }));
    let id = bluegreen::NewId::random(&mut fastrand::Rng::with_seed(1));
    let set_cookie = rollout.new_cookie.unwrap().render(id);
    assert_eq!(
        set_cookie,
        format!("a={id}; Path=/; SameSite=Lax; HttpOnly")
    );
}

#[test]
fn empty_match_is_every_request() {
    let rollout = rollout(&json!({ "match": {} }));
    assert_eq!(rollout.matches, bluegreen::Match::default());
}

#[test]
fn guard_and_quality_mean_what_they_say() {
    let rollout = rollout(&json!({
        "guard": {
            "window": "30s", "min_requests": 100, "max_error_rate": 5, "max_error_rate_over_stable": 2,
            "slow_after": "800ms", "max_slow_rate": 20, "max_slow_rate_over_stable": 10,
        },
        "releases": { "blue": "2026-10", "green": "2026-11-rc1" },
        "quality": {
            "min_samples": 500, "max_f1_drop": 1, "min_f1": 80, "min_precision": 75, "min_recall": 74, "hold_at": 10,
        },
    }));
    let limits = |max, over_stable| Limits {
        max: Some(percent(max)),
        max_over_stable: Some(percent(over_stable)),
    };
    let guard = Guard {
        window_ms: 30_000,
        min_requests: 100,
        error_rate: limits("5", "2"),
        slow_rate: limits("20", "10"),
        slow_after: Some(SlowAfter::Fixed(800)),
        per_user: false,
        sequential: None,
        count_retries: true,
    };
    assert_eq!(rollout.guard, Some(guard));
    let quality = Quality {
        min_samples: 500,
        confidence: Some(ConfidenceLevel::DEFAULT),
        max_f1_drop: Some(percent("1")),
        min_f1: Some(percent("80")),
        min_precision: Some(percent("75")),
        min_recall: Some(percent("74")),
        hold_at: Some(percent("10")),
        ..Quality::default()
    };
    assert_eq!(rollout.quality, Some(quality));
    let labels = [&rollout.releases.blue, &rollout.releases.green];
    assert_eq!(
        labels.map(|it| it.as_ref().map(ReleaseLabel::as_str)),
        [Some("2026-10"), Some("2026-11-rc1")]
    );
}

#[test]
fn secret_headers_are_listed_once() {
    let token = |header: &str| json!({ "token": { "header": header, "sha256": "0".repeat(64) } });
    let wanted = |header: &str, path: &str| json!({ "override": { "cookie": "a", "require": token(header) }, "match": { "path_prefix": path } });
    let policy = policy(&json!({
        "feedback": { "path": "/feedback", "require": token("X-Feedback") },
        "rollouts": [
            rollout_json("a", &wanted("X-Token", "/a")),
            rollout_json("b", &wanted("x-token", "/b")),
            rollout_json("c", &json!({ "override": { "header": "x", "require": "internal" } })),
        ],
    }));
    assert_eq!(names(&policy.secret_headers), ["x-token", "x-feedback"]);
    let feedback = policy.feedback.unwrap();
    assert_eq!(feedback.path, "/feedback");
    assert!(matches!(feedback.require, Permission::Token(_)));
}

#[test]
fn outcomes_are_counted_where_the_rollout_asks_for_them() {
    for fields in [
        json!({ "releases": { "blue": "1" } }),
        json!({ "releases": { "green": "1" } }),
        json!({ "quality": { "min_samples": 1, "min_f1": 1 } }),
    ] {
        let policy = policy(&config(&fields));
        assert!(policy.rollouts[0].measures(), "{fields}");
    }
    let mut config = config(&json!({}));
    config["feedback"] = json!({ "path": "/a", "require": "nothing" });
    let policy = policy(&config);
    assert!(!policy.rollouts[0].measures());
}

#[test]
fn rollouts_are_found_by_their_names() {
    let policy = policy(&json!({ "rollouts": [
        rollout_json("a", &json!({ "match": { "path_prefix": "/a" } })),
        rollout_json("b", &json!({})),
    ]}));
    let found = ["a", "b", "c", "A", ""].map(|name| policy.named(name));
    assert_eq!(found, [Some(0), Some(1), None, None, None]);
}

/// Reference value: `xxhash.xxh64(document).intdigest() & 0xffffffff` in Python.
#[test]
fn fingerprint_is_the_lower_half_of_the_hash_of_the_bytes() {
    let document = r#"{"rollouts":[{"name":"a","clusters":{"blue":"b","green":"g"},"weights":{"blue":95,"green":5}}]}"#;
    assert_eq!(
        Policy::parse(document.as_bytes()).unwrap().fingerprint,
        747_405_083
    );
}

proptest! {
    /// An accepted document is an object, and means the same however it is laid out; a rejected one has
    /// messages that a log can show.
    #[test]
    fn altered_example_is_read_or_rejected(at in 0..EXAMPLE.len(), text in "[ -~]{1,3}|\\PC") {
        let mut altered = EXAMPLE.as_bytes().to_vec();
        altered.splice(at..=at, text.bytes());
        match Policy::parse(&altered) {
            Ok(policy) => {
                let value: serde_json::Value = serde_json::from_slice(&altered).unwrap();
                prop_assert!(value.is_object());
                let again = crate::support::policy(&value);
                prop_assert_eq!(policy.rollouts, again.rollouts);
                prop_assert_eq!(policy.route_header, again.route_header);
                prop_assert_eq!(policy.color_header, again.color_header);
                prop_assert_eq!(policy.version, again.version);
            }
            Err(errors) => {
                prop_assert!((1..=21).contains(&errors.iter().count()));
                for problem in &errors {
                    prop_assert!(!problem.to_string().contains(char::is_control));
                }
            }
        }
    }

    #[test]
    fn example_cut_short_is_rejected(at in 0..EXAMPLE.len()) {
        let message = Policy::parse(&EXAMPLE.as_bytes()[..at]).unwrap_err().to_string();
        prop_assert!(message.starts_with("invalid JSON at line "), "{message}");
    }
}

#[test]
fn clusters_may_be_left_out_where_routes_go_by_the_color_header() {
    let mut config = config(&json!({}));
    config["rollouts"][0]
        .as_object_mut()
        .unwrap()
        .remove("clusters");
    config["color_header"] = json!("x-bluegreen-color");
    assert_eq!(policy(&config).rollouts[0].clusters, None);
}
