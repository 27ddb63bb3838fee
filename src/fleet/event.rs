//! An event of the exchange that is to be logged.

use std::fmt;

/// An event of the exchange that is to be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FleetEvent {
    /// etcd answers, and so many proxies are there.
    Connected(u64),
    /// It does not answer any more, for this reason.
    Disconnected(String),
    /// A key below the prefix can't be read.
    Skipped(String),
    /// Two processes have this `node.id`.
    SharedName(String),
}

// === impl FleetEvent ===

impl FleetEvent {
    /// Whether something is wrong.
    pub const fn is_trouble(&self) -> bool {
        !matches!(self, Self::Connected(_))
    }
}

impl fmt::Display for FleetEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected(proxies) => write!(f, "fleet: connected, {proxies} proxies"),
            Self::Disconnected(why) => write!(
                f,
                "fleet: not connected, this Envoy judges by itself meanwhile: {why}"
            ),
            Self::Skipped(key) => write!(
                f,
                "fleet: keys that can't be read are skipped, the first is {key}"
            ),
            Self::SharedName(name) => write!(
                f,
                "fleet: several Envoys have the node id {name}; they are told apart, but give each its own"
            ),
        }
    }
}
