//! The deciding core through its public API: data in, decision out.

mod admission;
mod bucket;
mod config;
mod cookie;
mod decide;
mod digest;
mod feedback;
mod guard;
mod headers;
mod key;
mod matcher;
mod matcher_rule;
mod overrides;
mod percent;
mod quality;
mod ramp;
mod rollout;
mod shared_state;
mod signal;
mod simulation;
mod stream_end;
mod sums;
mod support;
mod waiting;
mod window;
mod worker;
