//! One rollout and the whole policy.

pub mod decide;
pub mod feedback;
#[allow(
    clippy::module_inception,
    reason = "the file of the noun that the folder is about"
)]
pub mod policy;
pub mod rollout;
pub mod shared_state;
