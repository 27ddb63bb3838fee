//! What several test files need: requests as Envoy hands them over, and small configurations.

use bluegreen::{Headers, Percent, Policy, Request, Rollout};
use serde_json::{Value, json};

/// Writes the block of headers that [`Headers`] reads: the form of the proxy-wasm ABI 0.2.1.
pub fn block(headers: &[(impl AsRef<[u8]>, impl AsRef<[u8]>)]) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let mut block = length(&vec![0; headers.len()]).to_vec();
    for (name, value) in headers {
        block.extend(length(name.as_ref()));
        block.extend(length(value.as_ref()));
    }
    for (name, value) in headers {
        for text in [name.as_ref(), value.as_ref()] {
            block.extend(text);
            block.push(0);
        }
    }
    block
}

/// A request of these headers from which Envoy knows no property.
pub fn request(block: &[u8]) -> Request<'_> {
    Request {
        headers: Headers::new(block),
        property: &|_| None,
    }
}

pub fn percent(text: &str) -> Percent {
    Percent::parse(text).unwrap()
}

#[track_caller]
pub fn policy(config: &Value) -> Policy {
    match Policy::parse(config.to_string().as_bytes()) {
        Ok(policy) => policy,
        Err(error) => panic!("the configuration was rejected: {error}"),
    }
}

/// The fields that a rollout must have, and these.
pub fn rollout_json(name: &str, more: &Value) -> Value {
    let mut rollout = json!({
        "name": name,
        "clusters": { "blue": "one", "green": "two" },
        "weights": { "blue": 50, "green": 50 },
    });
    let fields = rollout.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    rollout
}

/// A configuration of one rollout, `rec`, with these fields.
pub fn config(more: &Value) -> Value {
    json!({ "rollouts": [rollout_json("rec", more)] })
}

#[track_caller]
pub fn rollout(more: &Value) -> Rollout {
    policy(&config(more)).rollouts.remove(0)
}

/// These fields and others.
pub fn merged(mut fields: Value, more: &Value) -> Value {
    let more = more.as_object().unwrap().clone();
    fields.as_object_mut().unwrap().extend(more);
    fields
}
