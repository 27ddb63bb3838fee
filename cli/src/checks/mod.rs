//! What a configuration can be told before it runs, beyond what the filter rejects.

pub mod capabilities;
pub mod ramps;
pub mod samples;
