//! The proxy-wasm SDK and ABI: what Envoy calls, and what is called of Envoy.

mod abi;
pub mod calls;
pub mod metric;
mod root;
mod stream;

use ::proxy_wasm::types::LogLevel;

::proxy_wasm::main! {{
    ::proxy_wasm::set_log_level(LogLevel::Info);
    ::proxy_wasm::set_root_context(|id| Box::new(root::Root::new(id)));
}}
