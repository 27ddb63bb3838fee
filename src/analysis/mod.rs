//! How requests go.

pub mod confidence_sequence;
pub mod f1;
pub mod grpc;
pub mod guard;
pub mod proportion;
pub mod quality;
pub mod quality_analysis;
pub mod quality_figures;
pub mod ramp;
pub mod signal;
pub mod stream_end;
pub mod waiting;
pub mod window;
