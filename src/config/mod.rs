//! From the configuration that an operator writes to a [`Policy`](crate::Policy).
//!
//! A struct here is a JSON object. Its fields are read one by one, so that each has its own problems,
//! and its documentation becomes part of the JSON Schema.

pub mod errors;
mod feedback;
mod fleet;
mod guard;
mod kind;
mod matches;
mod overrides;
mod quality;
mod ramp;
mod require;
mod rollout;
mod rollouts;
#[cfg(not(target_arch = "wasm32"))]
pub mod schema;
mod sequential;
mod sticky;
pub mod time;
mod top;
