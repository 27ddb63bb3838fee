//! The thin layer between Envoy and the core: it reads, asks the core, and writes. It decides nothing.

mod active;
mod callback_seen;
mod clock;
mod feedback;
mod feedback_request;
mod fleet;
mod fleet_link;
mod fleet_metrics;
mod grpc_call;
mod held_request;
mod metrics;
mod phase;
mod plugin;
mod proxy_wasm;
mod quality_metrics;
mod receive;
mod rollout_runtime;
mod rollout_state;
mod routed_stream;
mod store;
mod storing_feedback;
mod suspect_counter;
mod vm;
mod waiting;
