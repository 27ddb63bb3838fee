//! How requests go.

pub mod grpc;
pub mod guard;
pub mod quality;
pub mod ramp;
pub mod ramp_progress;
pub mod signal;
pub mod stream_end;
pub mod waiting;
pub mod window;
