//! What a client sends.

pub mod client_request;
pub mod cookie;
pub mod headers;
pub mod host_pattern;
pub mod matcher;
pub(crate) mod prefixes;
pub(crate) mod query;
