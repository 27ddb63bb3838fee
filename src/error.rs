//! What can be wrong with a configuration, and all the wording of it.

use crate::request::host_pattern::HostPattern;
use crate::value::color::PerColor;
use crate::value::name::RolloutName;
use crate::value::percent::{Percent, Thousandths};
use json_event_parser::JsonSyntaxError;
use std::fmt;

/// Something wrong at one place of a configuration. Reads `<where>: <what stands there>, must be <what is allowed>`.
#[derive(Debug)]
pub struct ConfigError(Box<Place>);

#[derive(Debug)]
struct Place {
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
    CookieMaxAge(String),
    CookieName(String),
    CookieNotSecure,
    CookiePath(String),
    CookiePrefix(String),
    Duration(String),
    FeedbackItems(usize),
    GuardWithoutLimit,
    HeaderName(String),
    HeaderReserved(String),
    HostTwice(HostPattern),
    Host(String),
    Integer {
        found: String,
        least: u64,
        most: u64,
    },
    MatchTaken {
        host: HostPattern,
        path_prefix: String,
        other: usize,
    },
    Metadata(String),
    Missing(&'static str),
    NoChoice(String, &'static str),
    NoHosts,
    NoRollout(String),
    NotOneValue,
    OverrideNowhere,
    PathPrefix(String),
    Percent(String),
    Profile(String),
    QueryName(String),
    RampEmpty,
    RampFalls {
        before: Percent,
        weight: Percent,
    },
    RampLastHold,
    RampNoHold,
    Release(String),
    RolloutCount(usize),
    HeaderIsSecret,
    RolloutName(String),
    RepeatedField,
    RolloutNameTaken(RolloutName, usize),
    Salt(String),
    SameSite(String),
    Sha256(usize),
    SlowAfterWithoutLimit,
    SlowAfterZero(String),
    SlowLimitWithoutSlowAfter,
    SourceAfterNewCookie,
    Syntax(JsonSyntaxError),
    Time(String),
    TooDeep(usize),
    UnknownField(&'static [&'static str]),
    Version(String),
    WeightsSum(PerColor<Percent>),
    Window(String),
    WrongType(String, &'static str),
}

// === impl ConfigError ===

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { path, problem } = &*self.0;
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        problem.fmt(f)
    }
}

impl std::error::Error for ConfigError {}

// === impl Problem ===

impl Problem {
    /// Says where the problem is. The empty path is the whole configuration.
    pub fn at(self, path: &str) -> ConfigError {
        ConfigError(Box::new(Place {
            path: path.to_owned(),
            problem: self,
        }))
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
            Self::CookieMaxAge(text) => {
                write!(f, "{text:?}, must be whole seconds, 1 or more")
            }
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
            Self::FeedbackItems(count) => write!(f, "{count} items, must be at most 1000"),
            Self::GuardWithoutLimit => f.write_str(
                "no limit, must have one or more of max_error_rate, max_error_rate_over_stable, \
                 max_slow_rate and max_slow_rate_over_stable",
            ),
            Self::HeaderName(name) => write!(
                f,
                "{name:?}, must be a header's name of 1 to 255 letters, digits and !#$%&'*+-.^_`|~ \
                 (no pseudo-header)"
            ),
            Self::HostTwice(host) => write!(f, "{host} stands twice, must stand once"),
            Self::HeaderReserved(name) => {
                write!(
                    f,
                    "{name:?}, must be a header that neither HTTP nor Envoy lives by"
                )
            }
            Self::Host(host) => write!(
                f,
                "{host:?}, must be a host without port, or \"*.\" and the end of one"
            ),
            Self::Integer { found, least, most } => {
                write!(f, "{found}, must be a whole number from {least} to {most}")
            }
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
                "{path}, must be the namespace of a filter and one key or more, none of them empty"
            ),
            Self::Missing(field) => write!(f, "{field} is missing, must be there"),
            Self::NoChoice(text, allowed) => write!(f, "{text}, must be {allowed}"),
            Self::NoHosts => f.write_str("[], must be one host or more"),
            Self::NoRollout(name) => write!(f, "{name}, must be the name of a rollout"),
            Self::NotOneValue => f.write_str("no JSON value, or more than one, must be one"),
            Self::OverrideNowhere => {
                f.write_str("neither header nor cookie, must have one of them or both")
            }
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
            Self::Profile(text) => write!(f, "{text:?}, must be full, signalled or lean"),
            Self::QueryName(name) => write!(
                f,
                "{name:?}, must be a parameter's name of visible ASCII characters without '&=#?'"
            ),
            Self::RolloutCount(count) => write!(f, "{count} rollouts, must be 1 to 1000"),
            Self::RolloutName(name) => {
                write!(f, "{name:?}, must be 1 to 64 of a-z, 0-9, '_' and '-'")
            }
            Self::RampEmpty => f.write_str("[], must be one step or more"),
            Self::RampFalls { before, weight } => {
                write!(f, "weight {weight} after {before}, must not fall")
            }
            Self::RampLastHold => f.write_str("the last step has a hold, must have none"),
            Self::RampNoHold => f.write_str("no hold, must have one before the last step"),
            Self::Release(label) => {
                write!(
                    f,
                    "{label:?}, must be 1 to 128 characters without control characters"
                )
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
            Self::HeaderIsSecret => {
                f.write_str("the header of a token too, must be another header")
            }
            Self::SameSite(text) => write!(f, "{text:?}, must be strict, lax or none"),
            Self::Sha256(length) => {
                write!(
                    f,
                    "{length} characters, must be 64 hex digits: the SHA-256 of the token"
                )
            }
            Self::SlowAfterWithoutLimit => f.write_str(
                "slow_after without max_slow_rate or max_slow_rate_over_stable, must have a limit",
            ),
            Self::SlowAfterZero(text) => write!(f, "{text:?}, must be 1 ms or more"),
            Self::SlowLimitWithoutSlowAfter => f.write_str(
                "max_slow_rate or max_slow_rate_over_stable without slow_after, must have both",
            ),
            Self::SourceAfterNewCookie => {
                f.write_str("a source behind new_cookie, must be before it")
            }
            Self::Syntax(error) => {
                let place = error.location().start;
                let (line, column) = (place.line.saturating_add(1), place.column.saturating_add(1));
                let message = error.message().replace(char::is_control, " ");
                write!(f, "no JSON, at line {line}, column {column}: {message}")
            }
            Self::Time(text) => write!(
                f,
                "{text:?}, must be an RFC 3339 time such as \"2026-11-23T10:00:00Z\""
            ),
            Self::TooDeep(depth) => write!(f, "nested deeper than {depth}, must not be"),
            Self::UnknownField(known) => {
                write!(f, "unknown field, must be one of {}", known.join(", "))
            }
            Self::Version(version) => write!(
                f,
                "{version:?}, must be 1 to 128 characters without control characters"
            ),
            Self::WeightsSum(PerColor { blue, green }) => {
                let sum = Thousandths(blue.millipercent().saturating_add(green.millipercent()));
                write!(f, "blue {blue} + green {green} = {sum}, must be 100")
            }
            Self::Window(text) => write!(f, "{text:?}, must be from 1s to 24h"),
            Self::WrongType(text, wanted) => write!(f, "{text}, must be {wanted}"),
        }
    }
}
