//! The thin layer between Envoy and the core: it reads, asks the core, and writes. It decides nothing.

mod active;
mod callback_seen;
mod chunk_metrics;
mod clock;
mod feedback;
mod feedback_request;
mod grpc_call;
mod metrics;
mod phase;
mod plugin;
mod proxy_wasm;
mod quality_metrics;
mod receive;
mod response_body;
mod response_chunks;
mod rollout_runtime;
mod rollout_state;
mod routed_stream;
mod score_metrics;
mod shadow_metrics;
mod store;
mod suspect_counter;
mod vm;
mod waiting;
