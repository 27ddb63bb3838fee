//! What all VMs of one Envoy agree on.

use crate::support::{policy, rollout_json};
use bluegreen::policy::shared_store::{parse, to_json};
use bluegreen::{Cause, Fact, Policy, RolloutIdentity, RolloutStatus, SharedState};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Two rollouts, `a` with these fields beside the usual.
fn rollouts(fields: &Value) -> Policy {
    let ramp = json!({ "start": "2026-11-23T10:00:00Z", "steps": [{ "weight": 5, "hold": "10m" }, { "weight": 100 }] });
    let a = json!({ "match": { "path_prefix": "/a" }, "ramp": ramp });
    let mut a = rollout_json("a", &a);
    a.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    policy(&json!({ "rollouts": [a, rollout_json("b", &json!({}))] }))
}

fn identities(policy: &Policy) -> Vec<RolloutIdentity> {
    policy.rollouts.iter().map(RolloutIdentity::of).collect()
}

/// The status and generation of the first rollout.
fn first(state: &SharedState, policy: &Policy) -> (RolloutStatus, u64) {
    let (name, identity) = (&policy.rollouts[0].name, identities(policy)[0]);
    (
        state.status(name, &identity),
        state.epoch(name, &identity).generation,
    )
}

/// Says that the first rollout was rolled back and promoted.
fn tripped(policy: &Policy) -> SharedState {
    let (name, identity) = (&policy.rollouts[0].name, identities(policy)[0]);
    let mut state = SharedState::default();
    assert!(state.add(name, &identity, Fact::RolledBack(Cause::ErrorRate)));
    assert!(state.add(name, &identity, Fact::Promoted(7)));
    state
}

const TRIPPED: RolloutStatus = RolloutStatus {
    tripped: Some(Cause::ErrorRate),
    promoted_at_ms: Some(7),
    slow_after_ns: None,
};

#[test]
fn facts_are_about_the_configuration_under_which_they_became_known() {
    let policy = rollouts(&json!({}));
    let state = tripped(&policy);
    assert_eq!(first(&state, &policy).0, TRIPPED);
    let other_salt = rollouts(&json!({ "salt": "other" }));
    let promoted = RolloutStatus {
        tripped: None,
        promoted_at_ms: Some(7),
        slow_after_ns: None,
    };
    assert_eq!(first(&state, &other_salt).0, promoted);
    let ramp = json!({ "start": "2026-11-23T10:00:00Z", "steps": [{ "weight": 100 }] });
    let other_ramp = rollouts(&json!({ "ramp": ramp }));
    assert_eq!(first(&state, &other_ramp).0, RolloutStatus::default());
}

#[test]
fn fact_that_is_known_is_not_added_again() {
    let policy = rollouts(&json!({}));
    let mut state = tripped(&policy);
    let before = state.clone();
    let (name, identity) = (&policy.rollouts[0].name, identities(&policy)[0]);
    assert!(!state.add(name, &identity, Fact::RolledBack(Cause::Quality)));
    assert!(!state.add(name, &identity, Fact::Promoted(8)));
    assert_eq!(state, before);
}

#[test]
fn change_ends_a_rollback_and_so_does_the_change_back() {
    let policy = rollouts(&json!({}));
    let changed = rollouts(&json!({ "stable": "green" }));
    let mut state = tripped(&policy);
    assert!(
        state.begin(&policy, &identities(&policy)),
        "in force is noted"
    );
    assert!(!state.begin(&policy, &identities(&policy)));
    assert!(state.begin(&changed, &identities(&changed)));
    assert!(!state.begin(&changed, &identities(&changed)));
    assert_eq!(first(&state, &policy).0.tripped, None);
}

#[test]
fn rollout_that_is_removed_and_added_again_is_not_rolled_back() {
    let policy = rollouts(&json!({}));
    let removed = crate::support::policy(&json!({ "rollouts": [rollout_json("b", &json!({}))] }));
    let mut state = tripped(&policy);
    assert!(state.begin(&removed, &identities(&removed)));
    state.begin(&policy, &identities(&policy));
    assert_eq!(first(&state, &policy).0, RolloutStatus::default());
}

#[test]
fn requests_count_for_clusters_releases_and_salt_alone() {
    let generation = |fields: Value| {
        let policy = rollouts(&fields);
        first(&SharedState::default(), &policy).1
    };
    let same = generation(json!({}));
    for fields in [
        json!({ "weights": { "blue": 10, "green": 90 } }),
        json!({ "stable": "green" }),
        json!({ "guard": { "window": "30s", "min_requests": 1, "max_error_rate": 1 } }),
        json!({ "sticky": ["source_ip"] }),
    ] {
        assert_eq!(generation(fields.clone()), same, "{fields}");
    }
    for fields in [
        json!({ "salt": "other" }),
        json!({ "releases": { "green": "2" } }),
        json!({ "clusters": { "blue": "one", "green": "three" } }),
    ] {
        assert_ne!(generation(fields.clone()), same, "{fields}");
    }
}

/// What hangs on a canary that was rolled back is not held against its repair, also where the repair has the
/// same clusters, releases and salt.
#[test]
fn end_of_a_rollback_begins_a_new_generation() {
    let policy = rollouts(&json!({}));
    let repaired = rollouts(&json!({ "weights": { "blue": 99, "green": 1 } }));
    let mut state = tripped(&policy);
    let before = first(&state, &policy).1;
    state.begin(&policy, &identities(&policy));
    assert_eq!(first(&state, &policy).1, before);
    state.begin(&repaired, &identities(&repaired));
    assert_ne!(first(&state, &repaired).1, before);
}

/// It may be another build of the same name.
#[test]
fn label_that_comes_back_is_another_release() {
    let release = |label: &str| rollouts(&json!({ "releases": { "green": label } }));
    let mut state = SharedState::default();
    let mut numbers = Vec::new();
    for label in ["1", "1", "2", "1"] {
        let policy = release(label);
        state.begin(&policy, &identities(&policy));
        let releases = state
            .epoch(&policy.rollouts[0].name, &identities(&policy)[0])
            .releases;
        numbers.push((releases.blue, releases.green));
    }
    assert_eq!(numbers, [(0, 1), (0, 1), (0, 2), (0, 3)]);
}

#[test]
fn state_is_json() {
    let policy = rollouts(&json!({}));
    let state = tripped(&policy);
    let identity = identities(&policy)[0];
    let expected = json!({ "config": 0, "rollouts": { "a": {
        "rollback": [identity.digest, "error_rate"],
        "promotion": [identity.gate, 7],
        "ended_rollbacks": 0,
    } } });
    let json: Value = serde_json::from_slice(&to_json(&state)).unwrap();
    assert_eq!(json, expected);
    assert_eq!(parse::<SharedState>(&to_json(&state)), state);
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let text = br#"{"later":1,"rollouts":{"a":{"later":[],"ended_rollbacks":3}}}"#;
    let state: SharedState = parse(text);
    assert_ne!(state, SharedState::default());
}

#[test]
fn causes_are_named_as_in_the_stats() {
    for cause in Cause::ALL {
        assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
    }
}

proptest! {
    /// Bytes that are not the document are an empty one, and a document that is read can be written and read again.
    #[test]
    fn any_bytes_read_as_a_state(bytes: Vec<u8>, text in r#"(\{|\}|\[|\]|"rollouts"|"a"|:|,|[0-9]|null){0,12}"#) {
        for bytes in [bytes, text.into_bytes()] {
            let state: SharedState = parse(&bytes);
            if serde_json::from_slice::<Value>(&bytes).is_err() {
                prop_assert_eq!(&state, &SharedState::default());
            }
            prop_assert_eq!(parse::<SharedState>(&to_json(&state)), state);
        }
    }
}
