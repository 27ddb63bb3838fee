//! What all VMs of one Envoy agree on.

use crate::support::{policy, rollout_json};
use bluegreen::policy::shared_store::{parse, to_json};
use bluegreen::{
    Begun, Cause, Counts, Fact, PerColor, Policy, RampNotice, RampPosition, RampProgress,
    RolloutIdentity, RolloutStatus, SharedState,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// 2026-11-23T10:00:00Z.
const START_MS: u64 = 1_795_428_000_000;
const MINUTE_MS: u64 = 60_000;
const NOW_MS: u64 = START_MS + 5 * MINUTE_MS;

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

/// The configuration comes into force. Says whether there is something new.
fn begin(state: &mut SharedState, policy: &Policy) -> bool {
    begin_at(state, policy, NOW_MS).has_changed
}

fn begin_at(state: &mut SharedState, policy: &Policy, now_ms: u64) -> Begun {
    state.begin(policy, &identities(policy), now_ms, |_, _| {
        PerColor::default()
    })
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
    ramp: None,
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
        ramp: None,
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
    assert!(begin(&mut state, &policy), "in force is noted");
    assert!(!begin(&mut state, &policy));
    assert!(begin(&mut state, &changed));
    assert!(!begin(&mut state, &changed));
    assert_eq!(first(&state, &policy).0.tripped, None);
}

#[test]
fn rollout_that_is_removed_and_added_again_is_not_rolled_back() {
    let policy = rollouts(&json!({}));
    let removed = crate::support::policy(&json!({ "rollouts": [rollout_json("b", &json!({}))] }));
    let mut state = tripped(&policy);
    assert!(begin(&mut state, &removed));
    begin(&mut state, &policy);
    let status = first(&state, &policy).0;
    assert_eq!((status.tripped, status.promoted_at_ms), (None, None));
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
    begin(&mut state, &policy);
    assert_eq!(first(&state, &policy).1, before);
    begin(&mut state, &repaired);
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
        begin(&mut state, &policy);
        let releases = state
            .epoch(&policy.rollouts[0].name, &identities(&policy)[0])
            .releases;
        numbers.push((releases.blue, releases.green));
    }
    assert_eq!(numbers, [(0, 1), (0, 1), (0, 2), (0, 3)]);
}

/// The facts of a configuration that came into force so many minutes after the ramp's start.
fn in_force(policy: &Policy, minutes: u64) -> (SharedState, Begun) {
    let mut state = SharedState::default();
    let begun = begin_at(&mut state, policy, START_MS + minutes * MINUTE_MS);
    (state, begun)
}

fn ramp(state: &SharedState, policy: &Policy) -> Option<RampProgress> {
    first(state, policy).0.ramp
}

fn at_step(step: usize, minutes: u64, requests_before: Option<u64>) -> Option<RampProgress> {
    Some(RampProgress::AtStep(RampPosition {
        step,
        since_ms: START_MS + minutes * MINUTE_MS,
        requests_before,
    }))
}

fn by_clock(minutes: u64) -> Option<RampProgress> {
    Some(RampProgress::ByClock(START_MS + minutes * MINUTE_MS))
}

fn guarded() -> Value {
    json!({ "guard": { "window": "30s", "min_requests": 20, "max_error_rate": 1 } })
}

#[test]
fn ramp_of_holds_alone_goes_by_the_clock_and_one_that_asks_for_evidence_begins_when_it_comes_into_force()
 {
    let (by_time, by_evidence) = (rollouts(&json!({})), rollouts(&guarded()));
    let (state, begun) = in_force(&by_time, 5);
    assert_eq!((ramp(&state, &by_time), begun.ramps), (by_clock(0), vec![]));
    let (state, begun) = in_force(&by_evidence, 5);
    assert_eq!(ramp(&state, &by_evidence), at_step(0, 5, Some(0)));
    assert_eq!(begun.ramps, [(0, RampNotice::AtFirstStep)]);
    // Before its start it waits for that.
    let mut state = SharedState::default();
    let begun = begin_at(&mut state, &by_evidence, START_MS - 1);
    assert_eq!(ramp(&state, &by_evidence), at_step(0, 0, None));
    assert_eq!(begun.ramps, []);
}

#[test]
fn ramp_that_begins_at_its_last_step_is_reported_once() {
    let policy = rollouts(&json!({}));
    assert_eq!(in_force(&policy, 9).1.ramps, []);
    let (mut state, begun) = in_force(&policy, 10);
    assert_eq!(begun.ramps, [(0, RampNotice::AtLastStep)]);
    let weights = rollouts(&json!({ "weights": { "blue": 99, "green": 1 } }));
    for policy in [policy, weights] {
        assert_eq!(
            begin_at(&mut state, &policy, START_MS + 11 * MINUTE_MS).ramps,
            []
        );
    }
    let gated = rollouts(&json!({ "quality": { "min_samples": 1 } }));
    assert_eq!(in_force(&gated, 10).1.ramps, [], "the gate holds it");
}

#[test]
fn step_is_kept_as_long_as_ramp_releases_clusters_and_salt_stay() {
    let policy = rollouts(&guarded());
    let (state, _) = in_force(&policy, 5);
    let known = ramp(&state, &policy);
    let stays = |fields: Value| {
        let changed = rollouts(&crate::support::merged(guarded(), &fields));
        let mut state = state.clone();
        begin_at(&mut state, &changed, START_MS + 60 * MINUTE_MS);
        ramp(&state, &changed) == known
    };
    for fields in [
        json!({}),
        json!({ "weights": { "blue": 99, "green": 1 } }),
        json!({ "guard": { "window": "31s", "min_requests": 21, "max_error_rate": 2 } }),
        json!({ "quality": { "min_samples": 1 } }),
    ] {
        assert!(stays(fields.clone()), "{fields}");
    }
    for fields in [
        json!({ "salt": "other" }),
        json!({ "releases": { "green": "2" } }),
        json!({ "clusters": { "blue": "one", "green": "three" } }),
    ] {
        assert!(!stays(fields.clone()), "{fields}");
    }
    // Without the guard nothing is asked for: the ramp goes on from where it is.
    let unguarded = rollouts(&json!({}));
    let mut state = state.clone();
    begin_at(&mut state, &unguarded, START_MS + 60 * MINUTE_MS);
    assert_eq!(ramp(&state, &unguarded), known);
}

#[test]
fn guard_that_is_added_leaves_a_ramp_at_the_step_where_the_clock_has_it() {
    let (by_time, by_evidence) = (rollouts(&json!({})), rollouts(&guarded()));
    let added = |minutes| {
        let (mut state, _) = in_force(&by_time, 0);
        let now_ms = START_MS + minutes * MINUTE_MS;
        let identities = identities(&by_evidence);
        let canary = Counts {
            requests: 7,
            ..Counts::default()
        };
        state.begin(&by_evidence, &identities, now_ms, |_, _| PerColor {
            blue: Counts::default(),
            green: canary,
        });
        ramp(&state, &by_evidence)
    };
    assert_eq!(added(5), at_step(0, 0, Some(7)));
    assert_eq!(added(15), at_step(1, 10, Some(7)));
}

#[test]
fn change_after_a_rollback_begins_the_ramp_at_its_first_step_whatever_its_start() {
    for (fields, begins) in [
        (json!({}), by_clock(60)),
        (guarded(), at_step(0, 60, Some(0))),
    ] {
        let policy = rollouts(&fields);
        for change in [
            json!({ "weights": { "blue": 99, "green": 1 } }),
            json!({ "releases": { "green": "2" } }),
        ] {
            let repaired = rollouts(&crate::support::merged(fields.clone(), &change));
            let mut state = tripped(&policy);
            begin_at(&mut state, &policy, START_MS);
            assert_eq!(first(&state, &policy).0.tripped, Some(Cause::ErrorRate));
            let begun = begin_at(&mut state, &repaired, START_MS + 60 * MINUTE_MS);
            assert_eq!(ramp(&state, &repaired), begins, "{change}");
            assert_eq!(begun.ramps, [(0, RampNotice::AtFirstStep)]);
            // It lasts as long as the ramp is the same, and another VM's word changes nothing.
            let unrelated = crate::support::merged(fields.clone(), &change);
            let unrelated = crate::support::merged(unrelated, &json!({ "sticky": ["source_ip"] }));
            for policy in [&repaired, &rollouts(&unrelated)] {
                begin_at(&mut state, policy, START_MS + 61 * MINUTE_MS);
                assert_eq!(ramp(&state, policy), begins, "{change}");
            }
        }
    }
}

/// By hand, an operator takes the ramp out after a rollback, and puts it back later.
#[test]
fn start_from_before_a_rollback_is_never_gone_by() {
    let policy = rollouts(&json!({}));
    let other = crate::support::policy(&json!({ "rollouts": [rollout_json("b", &json!({}))] }));
    let mut unramped = rollout_json("a", &json!({ "match": { "path_prefix": "/a" } }));
    unramped["weights"] = json!({ "blue": 100, "green": 0 });
    let unramped = crate::support::policy(&json!({ "rollouts": [unramped] }));
    for between in [other, unramped] {
        let mut state = tripped(&policy);
        begin_at(&mut state, &policy, START_MS);
        begin_at(&mut state, &between, START_MS + 20 * MINUTE_MS);
        begin_at(&mut state, &policy, START_MS + 60 * MINUTE_MS);
        assert_eq!(ramp(&state, &policy), by_clock(60));
        // Another correction of the repair begins anew too.
        let corrected = rollouts(&json!({ "releases": { "green": "3" } }));
        begin_at(&mut state, &corrected, START_MS + 90 * MINUTE_MS);
        assert_eq!(ramp(&state, &corrected), by_clock(90));
        // A start from after the rollback is gone by.
        let steps = json!([{ "weight": 5, "hold": "10m" }, { "weight": 100 }]);
        let later = json!({ "start": "2026-11-23T10:21:00Z", "steps": steps });
        let later = rollouts(&json!({ "ramp": later }));
        begin_at(&mut state, &later, START_MS + 95 * MINUTE_MS);
        assert_eq!(ramp(&state, &later), by_clock(21));
    }
}

#[test]
fn start_that_is_to_come_is_waited_for_after_a_rollback_too() {
    let policy = rollouts(&json!({}));
    let repaired = rollouts(&json!({ "releases": { "green": "2" } }));
    let mut state = tripped(&policy);
    begin_at(&mut state, &policy, START_MS - 9);
    begin_at(&mut state, &repaired, START_MS - 5);
    assert_eq!(ramp(&state, &repaired), by_clock(0));
}

#[test]
fn ramp_goes_on_from_where_it_is_known_to_be_alone() {
    let policy = rollouts(&guarded());
    let (mut state, _) = in_force(&policy, 5);
    let (name, identity) = (&policy.rollouts[0].name, identities(&policy)[0]);
    let position = |step, requests| RampPosition {
        step,
        since_ms: START_MS + 5 * MINUTE_MS,
        requests_before: Some(requests),
    };
    let (from, to, other) = (position(0, 0), position(1, 20), position(1, 30));
    assert!(state.add(name, &identity, Fact::Advanced(Some(from), to)));
    assert!(!state.add(name, &identity, Fact::Advanced(Some(from), other)));
    assert!(!state.add(name, &identity, Fact::Advanced(None, other)));
    assert_eq!(ramp(&state, &policy), Some(RampProgress::AtStep(to)));
    // Where all is lost, what a VM knows is taken.
    let mut lost = SharedState::default();
    assert!(lost.add(name, &identity, Fact::Advanced(Some(from), other)));
    assert_eq!(ramp(&lost, &policy), Some(RampProgress::AtStep(other)));
}

#[test]
fn ramps_are_json() {
    let policy = rollouts(&guarded());
    let (state, _) = in_force(&policy, 0);
    let json: Value = serde_json::from_slice(&to_json(&state)).unwrap();
    let digest = identities(&policy)[0].ramp;
    assert_eq!(
        json["rollouts"]["a"]["ramp"],
        json!([digest, [START_MS, 0, 0]])
    );
    assert_eq!(parse::<SharedState>(&to_json(&state)), state);
    let policy = rollouts(&json!({}));
    let (state, _) = in_force(&policy, 0);
    let json: Value = serde_json::from_slice(&to_json(&state)).unwrap();
    let digest = identities(&policy)[0].ramp;
    assert_eq!(
        json["rollouts"]["a"]["ramp"],
        json!([digest, [START_MS, null, null]])
    );
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
