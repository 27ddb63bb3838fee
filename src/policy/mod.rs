//! One rollout and the whole policy.

pub mod action;
pub mod board;
mod canonical;
pub mod controller;
pub mod decide;
mod digest;
pub mod feedback;
pub mod feedback_endpoint;
mod feedback_query;
pub mod feedback_start;
pub mod feedback_wait;
pub mod figures;
mod fleet_facts;
pub mod fleet_settings;
pub mod fleet_view;
pub mod member;
pub mod peers;
#[allow(
    clippy::module_inception,
    reason = "the file of the noun that the folder is about"
)]
pub mod policy;
pub mod ramp_begin;
pub mod ramp_watch;
pub mod recent;
pub mod registry;
pub mod rollout;
pub mod rollout_counts;
pub mod rollout_identity;
pub mod rollout_watch;
pub mod sequential_guards;
pub mod shared_keys;
pub mod shared_state;
pub mod shared_store;
pub mod vm_counts;
pub mod windows;
pub mod worker;
