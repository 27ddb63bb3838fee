//! The operator's moves: what each changes in a file, and how the change is made.

pub mod kind;
pub mod make;
pub mod plan;
pub mod prepared;
pub mod ramp;
pub mod subject;
pub mod taken;
pub mod undoing;
pub mod weights;
