//! Configurations, and the rule by which a key gets its color.

use serde_json::{Value, json};
use testbed::{Response, color};

pub const HALF: u32 = 50_000;

/// What stands before our filter in the shipped bootstrap.
pub const OUR_FILTER: &str = "# Needed: the filter, from the file you edit.";

/// One rollout called `demo`, for all requests. Its salt is its name.
pub fn config(green_millipercent: u32, sticky: Value) -> Value {
    json!({ "rollouts": [rollout("demo", green_millipercent, sticky)] })
}

/// A rollout between the environment's two upstreams.
pub fn rollout(name: &str, green_millipercent: u32, sticky: Value) -> Value {
    json!({
        "name": name,
        "clusters": { "blue": "blue", "green": "green" },
        "weights": weights(green_millipercent),
        "sticky": sticky,
    })
}

pub fn weights(green_millipercent: u32) -> Value {
    let percent = |millipercent: u32| f64::from(millipercent) / 1_000.0;
    json!({ "blue": percent(100_000 - green_millipercent), "green": percent(green_millipercent) })
}

/// A rollout for some of the requests.
pub fn matching(mut rollout: Value, matches: Value) -> Value {
    rollout["match"] = matches;
    rollout
}

/// A key that some weight gives to this color.
pub fn key_of(salt: &str, wanted: &str, green_millipercent: u32) -> String {
    (0..)
        .map(|i| format!("user-{i}"))
        .find(|key| color(salt, key, green_millipercent) == wanted)
        .expect("a key")
}

/// The upstream that answered.
pub fn server(response: &Response) -> &str {
    response.served_by().expect("an upstream's answer")
}
