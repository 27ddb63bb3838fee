//! The canonical form of what a rollout is made of.
//!
//! A rollback lasts as long as the digest of its rollout stays the same, also over upgrades of the
//! filter. So the form must not change: what is absent and what is at its default are both left out,
//! a new field is left out at its default too, and the names here are independent of those in the code.

use crate::analysis::confidence_sequence::ConfidenceLevel;
use crate::analysis::disagreement::Comparison;
use crate::analysis::guard::{Guard, Limits, SlowAfter};
use crate::analysis::ramp::{Ramp, Step};
use crate::analysis::sequential::Sequential;
use crate::analysis::shadow::Shadow;
use crate::assign::cookie_attribute::CookieDomain;
use crate::assign::key_source::KeySource;
use crate::assign::new_cookie::{NewCookie, SameSite};
use crate::assign::overrides::Override;
use crate::assign::permission::Permission;
use crate::request::cookie::CookieName;
use crate::value::color::{Color, PerColor};
use crate::value::header_name::HeaderName;
use crate::value::method::Method;
use crate::value::name::ReleaseLabel;
use crate::value::percent::Percent;
use serde::Serialize;
use std::borrow::Cow;

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CanonicalSource<'a> {
    Header(&'a str),
    Cookie(&'a str),
    Query(&'a str),
    Metadata(Vec<Cow<'a, str>>),
    SourceIp,
}

impl<'a> CanonicalSource<'a> {
    pub fn new(source: &'a KeySource) -> Self {
        match source {
            KeySource::Header(name) => Self::Header(name.as_str()),
            KeySource::Cookie(name) => Self::Cookie(name.as_str()),
            KeySource::Query(name) => Self::Query(name),
            KeySource::Metadata(path) => {
                Self::Metadata(path.segments().map(String::from_utf8_lossy).collect())
            }
            KeySource::SourceIp => Self::SourceIp,
        }
    }
}

#[derive(Serialize)]
pub struct CanonicalCookie<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    same_site: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secure: Option<bool>,
}

impl<'a> CanonicalCookie<'a> {
    pub fn new(cookie: &'a NewCookie) -> Self {
        let attributes = cookie.attributes();
        Self {
            name: cookie.name().as_str(),
            max_age_s: attributes.max_age.map(|age| age.as_secs()),
            path: Some(attributes.path.as_str()).filter(|&path| path != "/"),
            domain: attributes.domain.as_ref().map(CookieDomain::as_str),
            same_site: match attributes.same_site {
                SameSite::Strict => Some("strict"),
                SameSite::Lax => None,
                SameSite::None => Some("none"),
            },
            secure: attributes.secure.then_some(true),
        }
    }
}

#[derive(Serialize)]
pub struct CanonicalOverride<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookie: Option<&'a str>,
    require: CanonicalPermission<'a>,
}

impl<'a> CanonicalOverride<'a> {
    pub fn new(overrides: &'a Override) -> Self {
        Self {
            header: overrides.header.as_ref().map(HeaderName::as_str),
            cookie: overrides.cookie.as_ref().map(CookieName::as_str),
            require: CanonicalPermission::new(&overrides.require),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CanonicalPermission<'a> {
    Internal,
    Nothing,
    Token { header: &'a str, sha256: String },
}

impl<'a> CanonicalPermission<'a> {
    pub fn new(permission: &'a Permission) -> Self {
        match permission {
            Permission::Internal => Self::Internal,
            Permission::Everyone => Self::Nothing,
            Permission::Token(token) => Self::Token {
                header: token.header.as_str(),
                sha256: hex(token.sha256.as_bytes()),
            },
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[derive(Serialize)]
pub struct CanonicalRamp {
    start_ms: u64,
    steps: Vec<CanonicalStep>,
}

#[derive(Serialize)]
pub struct CanonicalStep {
    weight: u32,
    /// After the start, by the clock alone.
    after_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_requests: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<bool>,
}

impl CanonicalRamp {
    /// As it is written. `implied` is the `min_requests` that is left out.
    pub fn new(ramp: &Ramp, implied: Option<u64>) -> Self {
        let step = |(step, after_ms): (Step, u64)| CanonicalStep {
            weight: step.weight.millipercent(),
            after_ms,
            min_requests: step.min_requests.filter(|&it| Some(it) != implied),
            pause: step.pause.then_some(true),
        };
        Self {
            start_ms: ramp.start_ms(),
            steps: ramp.steps().map(step).collect(),
        }
    }
}

#[derive(Serialize)]
pub struct CanonicalGuard {
    window_ms: u64,
    min_requests: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_error_rate: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_error_rate_over_stable: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slow_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_slow_rate: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_slow_rate_over_stable: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slow_after_auto: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_user: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequential: Option<CanonicalSequential>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count_retries: Option<bool>,
}

#[derive(Serialize)]
struct CanonicalSequential {
    tolerance: u32,
    false_alarm_every_ms: u64,
}

impl CanonicalGuard {
    pub fn new(guard: &Guard) -> Self {
        let limits = |limits: &Limits| [limits.max, limits.max_over_stable].map(millipercent);
        let [max_error_rate, max_error_rate_over_stable] = limits(&guard.error_rate);
        let [max_slow_rate, max_slow_rate_over_stable] = limits(&guard.slow_rate);
        Self {
            window_ms: guard.window_ms,
            min_requests: guard.min_requests,
            max_error_rate,
            max_error_rate_over_stable,
            slow_after_ms: match guard.slow_after {
                Some(SlowAfter::Fixed(ms)) => Some(ms),
                Some(SlowAfter::Auto) | None => None,
            },
            max_slow_rate,
            max_slow_rate_over_stable,
            slow_after_auto: (guard.slow_after == Some(SlowAfter::Auto)).then_some(true),
            per_user: guard.per_user.then_some(true),
            sequential: guard.sequential.as_ref().map(CanonicalSequential::new),
            count_retries: (!guard.count_retries).then_some(false),
        }
    }
}

impl CanonicalSequential {
    const fn new(sequential: &Sequential) -> Self {
        Self {
            tolerance: sequential.tolerance.millipercent(),
            false_alarm_every_ms: sequential.false_alarm_every_ms,
        }
    }
}

pub(super) fn millipercent(percent: Option<Percent>) -> Option<u32> {
    percent.map(Percent::millipercent)
}

#[derive(Clone, Copy, Default, Serialize)]
pub struct CanonicalReleases<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    blue: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    green: Option<&'a str>,
}

impl<'a> CanonicalReleases<'a> {
    pub fn new(releases: &'a PerColor<Option<ReleaseLabel>>) -> Self {
        let label = |color| releases.of(color).as_ref().map(ReleaseLabel::as_str);
        Self {
            blue: label(Color::Blue),
            green: label(Color::Green),
        }
    }

    /// That of one color alone.
    pub const fn only(self, color: Color) -> Self {
        let none = None;
        match color {
            Color::Blue => Self {
                green: none,
                ..self
            },
            Color::Green => Self { blue: none, ..self },
        }
    }

    /// Whether neither color has one.
    pub const fn is_empty(&self) -> bool {
        self.blue.is_none() && self.green.is_none()
    }
}

#[derive(Serialize)]
pub struct CanonicalShadow<'a> {
    percent: u32,
    /// Where they are not GET and HEAD.
    #[serde(skip_serializing_if = "Option::is_none")]
    methods: Option<Vec<&'a str>>,
    min_requests: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    compare: Option<CanonicalComparison>,
}

#[derive(Serialize)]
pub struct CanonicalComparison {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_disagreement: Option<u32>,
    /// 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<u32>,
}

impl<'a> CanonicalShadow<'a> {
    pub fn new(shadow: &'a Shadow) -> Self {
        let names = shadow.methods.iter().map(Method::as_str).collect();
        Self {
            percent: shadow.percent.millipercent(),
            methods: (shadow.methods != Method::safe()).then_some(names),
            min_requests: shadow.min_requests,
            compare: shadow.comparison.as_ref().map(CanonicalComparison::new),
        }
    }
}

impl CanonicalComparison {
    fn new(comparison: &Comparison) -> Self {
        Self {
            max_disagreement: millipercent(comparison.max_disagreement),
            confidence: level(comparison.confidence),
        }
    }
}

/// Nothing at the default, 0 for none.
fn level(confidence: Option<ConfidenceLevel>) -> Option<u32> {
    match confidence {
        Some(ConfidenceLevel::DEFAULT) => None,
        Some(level) => Some(level.percent().millipercent()),
        None => Some(0),
    }
}
