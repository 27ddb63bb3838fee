//! Hosts as rollouts name them.

use crate::json::found::Found;
use crate::json::invalid::invalid;
use std::fmt;

/// A host as a rollout names it, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// This host alone.
    Exact(String),
    /// All hosts that end in this suffix, which begins with a dot, and have a label or more before it.
    Suffix(String),
    /// Any host, and none.
    Any,
}

/// The longest name that DNS knows (RFC 1035, section 2.3.4). Longer hosts match no pattern, so that a
/// client can't make the search for suffixes long.
pub(crate) const MAX_HOST_BYTES: usize = 253;

invalid! {
    /// Not a host, nor the end of one.
    InvalidHost
}

// === impl HostPattern ===

impl HostPattern {
    /// # Errors
    /// Where it is neither a host without port nor `*.` and a suffix.
    pub fn parse(text: &str) -> Result<Self, InvalidHost> {
        let host = text.to_ascii_lowercase();
        let (suffix, name) = match host.strip_prefix('*') {
            Some(suffix) => (true, suffix.strip_prefix('.').unwrap_or("")),
            None => (false, host.as_str()),
        };
        if host.len() > MAX_HOST_BYTES || !(is_name(name) || !suffix && is_ipv6(name)) {
            return Err(InvalidHost::new(
                Found::string(text),
                "a host without port, or \"*.\" and the end of one",
            ));
        }
        Ok(if suffix {
            Self::Suffix(format!(".{name}"))
        } else {
            Self::Exact(host)
        })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => write!(f, "host {host}"),
            Self::Suffix(suffix) => write!(f, "host *{suffix}"),
            Self::Any => f.write_str("any host"),
        }
    }
}

fn is_name(host: &str) -> bool {
    host.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

fn is_ipv6(host: &str) -> bool {
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}
