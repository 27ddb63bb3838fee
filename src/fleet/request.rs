//! A call to etcd.

/// A call to etcd, by `POST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetRequest {
    /// The path.
    pub path: &'static str,
    /// The token, where etcd requires one.
    pub authorization: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// For how long to wait for the answer.
    pub timeout_ms: u64,
}
