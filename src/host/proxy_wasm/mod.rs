//! Envoy's side of the proxy-wasm ABI.

mod abi;
pub mod calls;
