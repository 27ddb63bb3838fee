//! What several test files need: requests as Envoy hands them over, and small configurations.

use bluegreen::{ConfigErrors, Headers, Percent, Policy, Problem, Request, Rollout, config_schema};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::sync::LazyLock;

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

/// The JSON Schema of the configuration, by a validator.
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(&config_schema()).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
});

/// The policy of a configuration, which passes the schema too.
#[track_caller]
pub fn policy(config: &Value) -> Policy {
    if let Err(error) = SCHEMA.validate(config) {
        panic!("the schema rejects {config}: {error}");
    }
    match Policy::parse(config.to_string().as_bytes()) {
        Ok(policy) => policy,
        Err(errors) => panic!("the configuration was rejected: {errors}"),
    }
}

/// What is wrong with a configuration. Where its structure is broken, the schema rejects it too.
#[track_caller]
pub fn errors(config: &[u8]) -> ConfigErrors {
    let Err(errors) = Policy::parse(config) else {
        panic!("accepted: {}", String::from_utf8_lossy(config));
    };
    let broken: Vec<_> = errors.iter().filter(|it| is_structural(it)).collect();
    if let (Ok(config), false) = (serde_json::from_slice::<Value>(config), broken.is_empty()) {
        assert!(
            !SCHEMA.is_valid(&config),
            "the schema accepts {config}: {broken:?}"
        );
    }
    errors
}

/// Whether a problem concerns a type, an unknown field or a missing one.
fn is_structural(problem: &Problem) -> bool {
    let line = problem.to_string();
    let ends = [
        "is missing, must be given",
        "must be a string",
        "must be an object",
        "must be an array",
        "must be true or false",
        "query, metadata and new_cookie",
        "\"nothing\" or an object with token",
    ];
    let found = line.strip_prefix(&format!("{}: ", problem.path()));
    let is_number =
        found.is_some_and(|it| it.starts_with(|it: char| it == '-' || it.is_ascii_digit()));
    let wants_number = ["must be a number from ", "must be a whole number from "];
    line.contains("unknown field, must be one of ")
        || ends.iter().any(|end| line.ends_with(end))
        || !is_number && wants_number.iter().any(|it| line.contains(it))
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
