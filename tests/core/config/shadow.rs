//! `shadow`: which requests the canary gets a copy of.

use super::assert_field;
use crate::support::rollout;
use serde_json::json;

#[test]
fn what_can_not_be_meant_is_rejected() {
    for (shadow, expected) in [
        (json!({}), ": percent is missing, must be given"),
        (
            json!({ "percent": 5, "methods": [] }),
            ".methods: [], must be one method or more",
        ),
        (
            json!({ "percent": 5, "methods": ["get"] }),
            ".methods[0]: \"get\", must be a method of 1 to 32 upper-case letters and hyphens, not CONNECT",
        ),
        (
            json!({ "percent": 5, "methods": ["CONNECT"] }),
            ".methods[0]: \"CONNECT\", must be a method of 1 to 32 upper-case letters and hyphens, not CONNECT",
        ),
        (
            json!({ "percent": 5, "methods": ["GET", "GET"] }),
            ".methods[1]: duplicate GET, must be given once",
        ),
        (
            json!({ "percent": 5, "max_disagreement": 2 }),
            ": max_disagreement without compare, must be given with \"compare\": true",
        ),
        (
            json!({ "percent": 5, "compare": true, "confidence": 90 }),
            ": confidence without max_disagreement, must be given with it",
        ),
    ] {
        assert_field("shadow", shadow, expected);
    }
}

#[test]
fn defaults_are_safe() {
    let shadow = rollout(&json!({ "shadow": { "percent": 5 } })).shadow;
    let shadow = shadow.expect("a shadow");
    let methods: Vec<&str> = shadow.methods.iter().map(|it| it.as_str()).collect();
    assert_eq!((methods, shadow.min_requests), (vec!["GET", "HEAD"], 0));
    assert_eq!(shadow.comparison, None);
    let guard = json!({ "window": "30s", "min_requests": 70, "max_error_rate": 5 });
    let guarded = rollout(&json!({ "shadow": { "percent": 5 }, "guard": guard }));
    assert_eq!(guarded.shadow.map(|it| it.min_requests), Some(70));
}
