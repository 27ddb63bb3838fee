//! How requests go.

pub mod detector;
pub mod grpc;
pub mod guard;
pub mod incident;
pub mod latency;
pub mod quality;
pub mod ramp;
pub mod sequential;
pub mod sequential_guard;
pub mod signal;
pub mod start_history;
pub mod stream_end;
pub mod user_window;
pub mod waiting;
pub mod window;
