//! How the proxies of a fleet exchange what they know.

use crate::json::found::Found;
use crate::json::invalid::invalid;
use crate::value::name::ClusterName;

/// The etcd through which the proxies of a fleet exchange what they know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetSettings {
    /// The cluster of Envoy that reaches it.
    pub cluster: ClusterName,
    /// Below which all keys are: segments after slashes.
    pub prefix: String,
    /// How often each proxy exchanges, in milliseconds.
    pub interval_ms: u64,
    /// The user as whom the proxy authenticates to etcd, where etcd requires it.
    pub auth: Option<FleetAuth>,
}

/// A user of etcd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetAuth {
    /// The name.
    pub user: String,
    /// The variable in the VM's environment that holds the password.
    pub password_env: String,
}

invalid! {
    /// Not a prefix of keys.
    InvalidPrefix
}

invalid! {
    /// Not the name of an environment variable.
    InvalidVariable
}

// === impl FleetSettings ===

impl FleetSettings {
    /// The prefix where none is given.
    pub const DEFAULT_PREFIX: &str = "/bluegreen";
    /// The interval where none is given.
    pub const DEFAULT_INTERVAL_MS: u64 = 1_000;
}

/// Reads segments of visible characters, each after a slash.
pub(crate) fn parse_prefix(text: &str) -> Result<String, InvalidPrefix> {
    let mut segments = text.split('/');
    let begins_with_slash = segments.next() == Some("");
    let is_segment = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_graphic());
    if begins_with_slash && text.len() <= 255 && text.len() > 1 && segments.all(is_segment) {
        Ok(text.to_owned())
    } else {
        Err(InvalidPrefix::new(
            Found::string(text),
            "'/' and a name, as often as needed, such as \"/bluegreen/prod\"",
        ))
    }
}

/// Reads the name of an environment variable.
pub(crate) fn parse_variable(text: &str) -> Result<String, InvalidVariable> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins_well = text.bytes().next().is_some_and(|it| !it.is_ascii_digit());
    if begins_well && text.len() <= 128 && text.bytes().all(is_allowed) {
        Ok(text.to_owned())
    } else {
        Err(InvalidVariable::new(
            Found::string(text),
            "the name of an environment variable",
        ))
    }
}
