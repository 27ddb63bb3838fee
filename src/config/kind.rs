//! The kinds of values in a configuration: how each is read, and its JSON Schema.

use crate::analysis::confidence_sequence::ConfidenceLevel;
use crate::analysis::guard::SlowAfter;
use crate::analysis::sequential::Tolerance;
use crate::assign::cookie_attribute::{CookieDomain, CookiePath};
use crate::assign::key_source::{KeySource, MetadataPath};
use crate::assign::new_cookie::SameSite;
use crate::assign::permission::Sha256Digest;
use crate::config::time::{
    parse_alarm_interval_ms, parse_duration_ms, parse_exchange_interval_ms, parse_max_age,
    parse_slow_after, parse_time_ms, parse_window_ms,
};
use crate::json::found::Found;
use crate::json::invalid::{Invalid, invalid};
use crate::json::node::{Node, Read};
use crate::json::problems::Problems;
use crate::policy::fleet_settings::{parse_prefix, parse_variable};
use crate::request::cookie::CookieName;
use crate::request::host_pattern::HostPattern;
use crate::value::bucket::Salt;
use crate::value::color::Color;
use crate::value::header_name::HeaderName;
use crate::value::name::{ClusterName, ReleaseLabel, RolloutName};
use crate::value::path::parse_path;
use crate::value::percent::Percent;
use crate::value::profile::Profile;
use std::time::Duration;

/// Defines kinds: what a value becomes, how it is read, and what its schema says.
macro_rules! kinds {
    ($(
        $(#[doc = $doc:literal])*
        $kind:ident => $valid:ty, $read:expr, $schema:tt
    )*) => {$(
        $(#[doc = $doc])*
        pub struct $kind;

        impl Read for $kind {
            type Valid = $valid;

            fn read(node: &Node<'_>, problems: &mut Problems) -> Option<$valid> {
                let read: fn(&Node<'_>, &mut Problems) -> Option<$valid> = $read;
                read(node, problems)
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl schemars::JsonSchema for $kind {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($kind).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut schema = schemars::json_schema!($schema);
                let description = concat!($($doc),*).trim_start();
                schema.insert("description".to_owned(), description.into());
                schema
            }
        }
    )*};
}

kinds! {
    /// The name of a rollout, as it appears in stats.
    Name => RolloutName, |node, problems| node.parse(RolloutName::parse, problems),
        { "type": "string", "pattern": "^[a-z0-9_-]{1,64}$" }
    /// The name of a cluster of Envoy.
    Cluster => ClusterName, |node, problems| node.parse(ClusterName::parse, problems),
        { "type": "string", "pattern": "^[!-~]{1,255}$" }
    /// The label of a release.
    Release => ReleaseLabel, |node, problems| node.parse(ReleaseLabel::parse, problems),
        { "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" }
    /// The operator's name of a configuration.
    Version => String, |node, problems| node.parse(parse_version, problems),
        { "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" }
    /// How the filter learns how streams end, and how much the stats show.
    StatsProfile => Profile, |node, problems| node.parse(Profile::parse, problems),
        { "type": "string", "enum": ["full", "signalled", "lean"] }
    /// One of the two versions that share the traffic.
    ColorName => Color, |node, problems| node.parse(Color::parse, problems),
        { "type": "string", "enum": ["blue", "green"] }
    /// What is hashed before the key of a user.
    HashSalt => Salt, |node, problems| node.parse(Salt::parse, problems),
        { "type": "string", "maxLength": 255, "pattern": "^[^\\u0000]*$" }
    /// A header to read.
    Header => HeaderName, |node, problems| node.parse(HeaderName::parse, problems),
        { "type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,255}$" }
    /// A header to write or to remove; not one that HTTP or Envoy use themselves.
    WritableHeader => HeaderName, |node, problems| node.parse(HeaderName::parse_writable, problems),
        { "type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,255}$" }
    /// The name of a cookie.
    Cookie => CookieName, |node, problems| node.parse(CookieName::parse, problems),
        { "type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" }
    /// The name of a query parameter.
    QueryParameter => String, |node, problems| node.parse(KeySource::parse_query, problems),
        { "type": "string", "pattern": "^[!\"$%'-<>@-~]+$" }
    /// A host without port, or `*.` and the end of one.
    Host => HostPattern, |node, problems| node.parse(HostPattern::parse, problems),
        { "type": "string", "maxLength": 253, "pattern": "^((\\*\\.)?[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*|\\[[0-9A-Fa-f:.]+\\])$" }
    /// The namespace of a filter, then the keys to a value in its dynamic metadata.
    Metadata => MetadataPath, read_metadata,
        { "type": "array", "minItems": 2, "items": { "type": "string", "minLength": 1 } }
    /// A path, or how it begins.
    UrlPath => String, |node, problems| node.parse(parse_path, problems),
        { "type": "string", "pattern": "^/[!-\"$->@-~]*$" }
    /// Segments after slashes, below which all keys are.
    KeyPrefix => String, |node, problems| node.parse(parse_prefix, problems),
        { "type": "string", "maxLength": 255, "pattern": "^(/[!-.0-~]+)+$" }
    /// The name of a user.
    UserName => String, |node, problems| node.parse(parse_version, problems),
        { "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" }
    /// The name of an environment variable.
    EnvironmentVariable => String, |node, problems| node.secret().parse(parse_variable, problems),
        { "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,127}$" }
    /// A duration from `500ms` to `60s`.
    ExchangeInterval => u64, |node, problems| node.parse(parse_exchange_interval_ms, problems),
        { "type": "string", "pattern": "^\\s*[0-9][0-9a-zA-Zµ.\\s]*$" }
    /// A percentage in steps of 0.001.
    Percentage => Percent, read_percent,
        { "type": "number", "minimum": 0, "maximum": 100 }
    /// A percentage from 50 to 99.99 in steps of 0.001, or `none`.
    Confidence => Option<ConfidenceLevel>, read_confidence,
        { "anyOf": [{ "type": "number", "minimum": 50, "maximum": 99.99 }, { "const": "none" }] }
    /// A count of requests or samples.
    Minimum => u64, |node, problems| node.integer(1, 1_000_000_000, problems),
        { "type": "integer", "minimum": 1, "maximum": 1_000_000_000 }
    /// A count of requests, 0 for none.
    StepRequests => u64, |node, problems| node.integer(0, 1_000_000_000, problems),
        { "type": "integer", "minimum": 0, "maximum": 1_000_000_000 }
    /// Yes or no.
    Flag => bool, |node, problems| node.boolean(problems),
        { "type": "boolean" }
    /// A duration such as `500ms`, `30s`, `10m`, `1h 30m` or `30d`.
    Milliseconds => u64, |node, problems| node.parse(parse_duration_ms, problems),
        { "type": "string", "pattern": "^\\s*[0-9][0-9a-zA-Zµ.\\s]*$" }
    /// A duration from `1s` to `24h`.
    WindowLength => u64, |node, problems| node.parse(parse_window_ms, problems),
        { "type": "string", "pattern": "^\\s*[0-9][0-9a-zA-Zµ.\\s]*$" }
    /// A duration of `1ms` or more, or `auto`: the stable color's 95th percentile of late.
    SlowAfterTime => SlowAfter, |node, problems| node.parse(parse_slow_after, problems),
        { "type": "string", "pattern": "^(auto|\\s*[0-9][0-9a-zA-Zµ.\\s]*)$" }
    /// A duration from `1h` to `3650d`.
    AlarmInterval => u64, |node, problems| node.parse(parse_alarm_interval_ms, problems),
        { "type": "string", "pattern": "^\\s*[0-9][0-9a-zA-Zµ.\\s]*$" }
    /// A percentage from 0 to 1000 in steps of 0.001.
    TolerancePercentage => Tolerance, read_tolerance,
        { "type": "number", "minimum": 0, "maximum": 1000 }
    /// A duration in whole seconds, such as `30d`.
    MaxAge => Duration, |node, problems| node.parse(parse_max_age, problems),
        { "type": "string", "pattern": "^\\s*[0-9][0-9a-zA-Zµ.\\s]*$" }
    /// A time by RFC 3339, such as `2026-11-23T10:00:00Z`.
    Time => u64, |node, problems| node.parse(parse_time_ms, problems),
        { "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$" }
    /// Below which path a cookie is sent.
    AttributePath => CookiePath, |node, problems| node.parse(CookiePath::parse, problems),
        { "type": "string", "pattern": "^/[!-:<-~]*$" }
    /// To which domain and its subdomains a cookie is sent.
    AttributeDomain => CookieDomain, |node, problems| node.parse(CookieDomain::parse, problems),
        { "type": "string", "pattern": "^[!-:<-~]+$" }
    /// With which requests from other sites a cookie is sent.
    AttributeSameSite => SameSite, |node, problems| node.parse(SameSite::parse, problems),
        { "type": "string", "enum": ["strict", "lax", "none"] }
    /// The SHA-256 of a token in hex digits.
    TokenDigest => Sha256Digest, |node, problems| node.parse(Sha256Digest::parse, problems),
        { "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" }
}

invalid! {
    /// Not a version.
    InvalidVersion
}

fn parse_version(text: &str) -> Result<String, InvalidVersion> {
    let fits = (1..=128).contains(&text.chars().count());
    if fits && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(InvalidVersion::new(
            Found::string(text),
            "1 to 128 characters without control characters",
        ))
    }
}

/// The text of the number, so that no binary fraction comes between `0.001` and its meaning.
fn read_percent(node: &Node<'_>, problems: &mut Problems) -> Option<Percent> {
    let percent = Percent::parse(node.json());
    if let Err(error) = &percent {
        node.must_be(problems, error.must_be());
    }
    percent.ok()
}

/// As [`read_percent`].
fn read_tolerance(node: &Node<'_>, problems: &mut Problems) -> Option<Tolerance> {
    let tolerance = Tolerance::parse(node.json());
    if let Err(error) = &tolerance {
        node.must_be(problems, error.must_be());
    }
    tolerance.ok()
}

fn read_confidence(node: &Node<'_>, problems: &mut Problems) -> Option<Option<ConfidenceLevel>> {
    if node.text().is_some_and(|text| text == "none") {
        return Some(None);
    }
    let level = ConfidenceLevel::parse(node.json());
    if let Err(error) = &level {
        node.must_be(problems, error.must_be());
    }
    level.ok().map(Some)
}

fn read_metadata(node: &Node<'_>, problems: &mut Problems) -> Option<MetadataPath> {
    let before = problems.count();
    let mut segments = Vec::new();
    for (index, json) in node.array(problems)?.into_iter().enumerate() {
        segments.extend(node.item(index, json).string(problems));
    }
    if problems.count() > before {
        return None;
    }
    let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    node.valid(MetadataPath::new(&segments), problems)
}
