//! One rollout and the whole policy.

pub mod action;
pub mod answers;
mod canonical;
mod canonical_quality;
mod canonical_stream;
pub mod controller;
pub mod decide;
mod digest;
pub mod feedback;
pub mod feedback_endpoint;
mod feedback_explained;
mod feedback_query;
pub mod feedback_scores;
pub mod feedback_start;
pub mod feedback_wait;
pub mod figures;
pub mod fleet_counts;
mod fleet_facts;
pub mod fleet_settings;
pub mod fleet_view;
mod judgment;
mod knowledge;
mod leader;
pub mod member;
mod outbox;
pub mod peers;
#[allow(
    clippy::module_inception,
    reason = "the file of the noun that the folder is about"
)]
pub mod policy;
pub mod proxy_counts;
pub mod ramp_begin;
pub mod ramp_watch;
pub mod recent;
pub mod registry;
pub mod report;
pub mod rollout;
pub mod rollout_counts;
pub mod rollout_identity;
pub mod rollout_watch;
pub mod seen_ids;
pub mod sequential_guards;
pub mod shadowing;
pub mod shared_keys;
pub mod shared_state;
pub mod shared_store;
mod shown_stats;
mod tick_input;
pub mod totals;
pub mod vm_counts;
pub mod windows;
pub mod worker;
