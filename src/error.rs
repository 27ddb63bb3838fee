//! What can be wrong with a configuration, and all the wording of it.

use crate::color::PerColor;
use crate::matcher::HostPattern;
use crate::percent::{Percent, Thousandths};
use crate::rollout::RolloutName;
use std::fmt;

/// Something wrong at one place of a configuration. Reads `<where>: <what stands there>, must be <what is allowed>`.
#[derive(Debug)]
pub struct ConfigError {
    path: String,
    problem: Problem,
}

/// Something wrong with a value. Carries what stands there, but for secrets.
#[derive(Debug)]
#[allow(missing_docs, reason = "each is what its message says")]
pub enum Problem {
    ClusterName(String),
    Color(String),
    ColorHeaderIsRouteHeader,
    CookieDomain(String),
    CookieMaxAge {
        seconds: u64,
        nanos: u32,
    },
    CookieName(String),
    CookieNotSecure,
    CookiePath(String),
    CookiePrefix(String),
    Duration(String),
    HeaderName(String),
    HeaderReserved(String),
    Host(String),
    MatchTaken {
        host: HostPattern,
        path_prefix: String,
        other: usize,
    },
    Metadata(Vec<String>),
    Missing(&'static str),
    NoChoice(String, &'static [&'static str]),
    NoHosts,
    NotUtf8,
    PathPrefix(String),
    Percent(String),
    QueryName(String),
    RolloutCount(usize),
    RolloutName(String),
    RepeatedField,
    RolloutNameTaken(RolloutName, usize),
    Salt(String),
    SameSite(String),
    SourceAfterNewCookie,
    Syntax(serde_json::Error),
    UnknownField(&'static [&'static str]),
    Version(String),
    WeightsSum(PerColor<Percent>),
    WrongType(String, &'static str),
}

// === impl ConfigError ===

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, problem } = self;
        if path.is_empty() {
            write!(f, "configuration: {problem}")
        } else {
            write!(f, "{path}: {problem}")
        }
    }
}

impl std::error::Error for ConfigError {}

// === impl Problem ===

impl Problem {
    /// Says where the problem is. The empty path is the whole configuration.
    pub fn at(self, path: impl Into<String>) -> ConfigError {
        ConfigError {
            path: path.into(),
            problem: self,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClusterName(name) => {
                write!(f, "{name:?}, must be 1 to 255 visible ASCII characters")
            }
            Self::Color(text) => write!(f, "{text:?}, must be blue or green"),
            Self::ColorHeaderIsRouteHeader => {
                f.write_str("the same as route_header, must be another header")
            }
            Self::CookieDomain(domain) => {
                write!(
                    f,
                    "domain {domain:?}, must be visible ASCII characters without ';'"
                )
            }
            Self::CookieMaxAge { seconds, nanos } => write!(
                f,
                "max_age {seconds}.{nanos:09} s, must be whole seconds, 1 or more"
            ),
            Self::CookieName(name) => {
                write!(
                    f,
                    "{name:?}, must be a cookie's name: letters, digits and !#$%&'*+-.^_`|~"
                )
            }
            Self::CookieNotSecure => {
                f.write_str("same_site none without secure, must be \"secure\": true with it")
            }
            Self::CookiePath(path) => write!(
                f,
                "path {path:?}, must begin with '/' and be visible ASCII characters without ';'"
            ),
            Self::CookiePrefix(name) => write!(
                f,
                "name {name:?}, must be secure for browsers to take it, and with __Host- without \
                 domain and with path /"
            ),
            Self::Duration(text) => write!(
                f,
                "{text:?}, must be a duration such as \"500ms\", \"30s\", \"10m\", \"1h 30m\" or \"30d\""
            ),
            Self::HeaderName(name) => write!(
                f,
                "{name:?}, must be a header's name of 1 to 255 letters, digits and !#$%&'*+-.^_`|~ \
                 (no pseudo-header)"
            ),
            Self::HeaderReserved(name) => {
                write!(
                    f,
                    "{name:?}, must be a header that HTTP itself does not use"
                )
            }
            Self::Host(host) => write!(
                f,
                "{host:?}, must be a host without port, or \"*.\" and the end of one"
            ),
            Self::MatchTaken {
                host,
                path_prefix,
                other,
            } => write!(
                f,
                "{host} with path_prefix {path_prefix:?} is that of rollouts[{other}], must be \
                 another match"
            ),
            Self::Metadata(path) => write!(
                f,
                "{path:?}, must be the namespace of a filter and one key or more, none of them empty"
            ),
            Self::Missing(field) => write!(f, "{field} is missing, must be there"),
            Self::NoChoice(text, known) => write!(f, "{text}, must be one of {}", known.join(", ")),
            Self::NoHosts => f.write_str("[], must be one host or more"),
            Self::NotUtf8 => f.write_str("bytes that are not UTF-8, must be JSON"),
            Self::PathPrefix(prefix) => write!(
                f,
                "{prefix:?}, must begin with '/' and be visible ASCII characters without '?' and '#'"
            ),
            Self::Percent(text) => {
                write!(
                    f,
                    "{text}, must be a number from 0 to 100 in steps of 0.001"
                )
            }
            Self::QueryName(name) => write!(
                f,
                "{name:?}, must be a parameter's name of visible ASCII characters without '&=#?'"
            ),
            Self::RolloutCount(count) => write!(f, "{count} rollouts, must be 1 to 1000"),
            Self::RolloutName(name) => {
                write!(f, "{name:?}, must be 1 to 64 of a-z, 0-9, '_' and '-'")
            }
            Self::RepeatedField => f.write_str("stands twice, must stand once"),
            Self::RolloutNameTaken(name, other) => write!(
                f,
                "name {:?} is that of rollouts[{other}], must be another name",
                name.as_str()
            ),
            Self::Salt(salt) => {
                write!(f, "{salt:?}, must be at most 255 bytes without a zero byte")
            }
            Self::SameSite(text) => write!(f, "{text:?}, must be strict, lax or none"),
            Self::SourceAfterNewCookie => {
                f.write_str("a source behind new_cookie, must be before it")
            }
            Self::Syntax(error) => write!(f, "{error}, must be JSON"),
            Self::UnknownField(known) => {
                write!(f, "unknown field, must be one of {}", known.join(", "))
            }
            Self::Version(version) => write!(f, "{version:?}, must be 1 to 128 characters"),
            Self::WeightsSum(PerColor { blue, green }) => {
                let sum = Thousandths(blue.millipercent().saturating_add(green.millipercent()));
                write!(f, "blue {blue} + green {green} = {sum}, must be 100")
            }
            Self::WrongType(text, wanted) => write!(f, "{text}, must be {wanted}"),
        }
    }
}
