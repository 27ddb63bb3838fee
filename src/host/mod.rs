//! The thin layer between Envoy and the core: it reads, asks the core, and writes. It decides nothing.

mod active;
mod callback_seen;
mod metric;
mod metrics;
mod proxy_wasm;
mod receive;
mod rollout_runtime;
mod rollout_state;
mod root;
mod routed_stream;
mod shared;
mod stream;
mod suspect_counter;
mod vm;

use ::proxy_wasm::types::LogLevel;

::proxy_wasm::main! {{
    ::proxy_wasm::set_log_level(LogLevel::Info);
    ::proxy_wasm::set_root_context(|_| Box::new(root::Root::default()));
}}
