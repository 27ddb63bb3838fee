//! The thin layer between Envoy and the core: it reads, asks the core, and writes. It decides nothing.

mod abi;
mod active;
mod arrival;
mod calls;
mod decided;
mod lane;
mod metric;
mod metrics;
mod receive;
mod root;
mod shared;
mod signal;
mod state;
mod stream;
mod vm;

use proxy_wasm::types::LogLevel;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(root::Root::default()));
}}
