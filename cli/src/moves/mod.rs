//! The operator's moves: what each changes in a file, and how the change is made.

pub mod make;
pub mod plan;
pub mod ramp;
pub mod subject;
pub mod taken;
pub mod weights;
