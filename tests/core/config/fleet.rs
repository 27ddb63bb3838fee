//! `fleet`: where the proxies of a fleet meet.

use super::{assert_message, message, with};
use crate::support::{merged, policy};
use bluegreen::Policy;
use serde_json::{Value, json};

fn fleet(fields: &Value) -> String {
    let fleet = merged(json!({ "cluster": "etcd" }), fields);
    with("fleet", fleet)
}

#[track_caller]
fn assert_fleet(fields: Value, expected: &str) {
    assert_message(fleet(&fields), &format!("fleet{expected}"));
}

fn accepted(fields: &Value) -> Policy {
    policy(&serde_json::from_str(&fleet(fields)).unwrap())
}

#[test]
fn fields_have_defaults() {
    let settings = accepted(&json!({})).fleet.unwrap();
    assert_eq!(settings.cluster.as_str(), "etcd");
    assert_eq!(
        (settings.prefix.as_str(), settings.interval_ms),
        ("/bluegreen", 1_000)
    );
    assert_eq!(settings.auth, None);
    let auth = json!({ "user": "blue green", "password_env": "ETCD_PASSWORD" });
    let auth = accepted(&json!({ "auth": auth })).fleet.unwrap().auth;
    let auth = auth.unwrap();
    assert_eq!(
        (auth.user.as_str(), auth.password_env.as_str()),
        ("blue green", "ETCD_PASSWORD")
    );
}

#[test]
fn cluster_is_required() {
    let expected = "fleet: cluster is missing, must be given";
    assert_message(with("fleet", json!({})), expected);
    assert_fleet(
        json!({ "cluster": "" }),
        ".cluster: \"\", must be 1 to 255 visible ASCII characters",
    );
}

#[test]
fn prefix_is_segments_after_slashes() {
    let long = format!("/{}", "a".repeat(254));
    for prefix in ["/a", "/bluegreen/prod", "/a.b/c_d-1/~", &long] {
        let settings = accepted(&json!({ "prefix": prefix })).fleet.unwrap();
        assert_eq!(settings.prefix, prefix);
    }
    for prefix in [
        "",
        "/",
        "a",
        "a/b",
        "/a/",
        "//a",
        "/a//b",
        "/a b",
        "/ä",
        &format!("{long}a"),
    ] {
        let expected = format!(
            "fleet.prefix: {prefix:?}, must be '/' and a name, as often as needed, such as \"/bluegreen/prod\""
        );
        assert_message(fleet(&json!({ "prefix": prefix })), &expected);
    }
}

#[test]
fn interval_is_between_half_a_second_and_a_minute() {
    for (interval, expected) in [("500ms", 500), ("1s", 1_000), ("1m", 60_000)] {
        let settings = accepted(&json!({ "interval": interval })).fleet.unwrap();
        assert_eq!(settings.interval_ms, expected);
    }
    for interval in ["499ms", "0s", "61s", "1h"] {
        assert_fleet(
            json!({ "interval": interval }),
            &format!(".interval: {interval:?}, must be from 500ms to 60s"),
        );
    }
}

#[test]
fn password_in_the_configuration_is_rejected_and_not_shown() {
    let auth = json!({ "user": "u", "password_env": "P", "password": "s3cret" });
    assert_fleet(
        json!({ "auth": auth }),
        ".auth.password: unknown field, must be one of user, password_env",
    );
    for password in ["s3cret!", "", "1A", "A B"] {
        let auth = json!({ "user": "u", "password_env": password });
        assert_fleet(
            json!({ "auth": auth }),
            ".auth.password_env: a value that is not shown, must be the name of an environment variable",
        );
    }
    let missing = message(fleet(&json!({ "auth": {} })).as_bytes());
    assert_eq!(
        missing,
        "fleet.auth: user is missing, must be given\nfleet.auth: password_env is missing, must be given"
    );
}
