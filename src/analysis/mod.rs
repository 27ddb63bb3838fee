//! How requests go.

pub mod answer_label;
pub mod confidence_sequence;
pub mod detector;
pub mod disagreement;
pub mod f1;
pub mod grpc;
pub mod guard;
pub mod incident;
pub mod latency;
pub mod proportion;
pub mod quality;
pub mod quality_analysis;
pub mod quality_figures;
pub mod ramp;
pub mod ramp_progress;
pub mod sequential;
pub mod sequential_guard;
pub mod shadow;
pub mod shadow_counts;
pub mod signal;
pub mod start_history;
pub mod stream_end;
pub mod user_window;
pub mod waiting;
pub mod window;
