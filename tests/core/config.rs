//! From an operator's JSON to a policy, or to a message that says where it is wrong.

mod accepted;
mod document;
mod fleet;
mod guard;
mod headers;
mod matches;
mod overrides;
mod problems;
mod quality;
mod ramp;
mod require;
mod rollouts;
mod schema;
mod sticky;

use crate::support::{config, rollout_json};
use serde_json::{Value, json};

/// The messages for a configuration that is not accepted, one a line.
#[track_caller]
fn message(config: &[u8]) -> String {
    crate::support::errors(config).to_string()
}

#[track_caller]
fn assert_message(config: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(message(config.as_ref()), expected);
}

/// Holds a rollout with these fields against its message, without `rollouts[0]` before it.
#[track_caller]
fn assert_rollout(fields: Value, expected: &str) {
    assert_message(
        config(&fields).to_string(),
        &format!("rollouts[0]{expected}"),
    );
}

/// The same for one field, and the path that begins with it.
#[track_caller]
fn assert_field(name: &str, value: Value, expected: &str) {
    assert_rollout(json!({ name: value }), &format!(".{name}{expected}"));
}

#[track_caller]
fn assert_accepted(config: &Value) {
    crate::support::policy(config);
}

/// A configuration of these rollouts.
fn of_rollouts(fields: &[Value]) -> Value {
    let named = fields.iter().enumerate();
    let rollouts = named.map(|(index, fields)| rollout_json(&format!("r{index}"), fields));
    json!({ "rollouts": rollouts.collect::<Vec<_>>() })
}

/// A good configuration with this field at the top.
fn with(name: &str, value: Value) -> String {
    let mut config = config(&json!({}));
    config[name] = value;
    config.to_string()
}
