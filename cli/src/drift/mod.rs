//! How two environments differ: what Envoy knows of two clusters, and what their services say of themselves.

pub mod aliases;
pub mod cluster;
pub mod compare;
pub mod services;
pub mod settings;
