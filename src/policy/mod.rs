//! One rollout and the whole policy.

mod canonical;
pub mod decide;
mod digest;
pub mod feedback;
pub mod feedback_endpoint;
#[allow(
    clippy::module_inception,
    reason = "the file of the noun that the folder is about"
)]
pub mod policy;
pub mod rollout;
pub mod shared_state;
