//! `override`, `ramp` and `guard`: how a rollout goes on, or back.

use super::time::{parse_duration_ms, parse_time_ms};
use super::{percent, read};
use crate::analysis::guard::{Guard, Limits};
use crate::analysis::ramp::Ramp;
use crate::assign::overrides::Override;
use crate::assign::permission::{Permission, Sha256Digest, Token};
use crate::error::{ConfigError, Problem};
use crate::node::{Node, Object};
use crate::request::cookie::CookieName;
use crate::value::header_name::HeaderName;
use crate::value::percent::Percent;

const MIN_WINDOW_MS: u64 = 1_000;
const MAX_WINDOW_MS: u64 = 24 * 60 * 60 * 1_000;
const MAX_REQUESTS: u64 = 1_000_000_000;

const REQUIRE: &[&str] = &["internal", "token", "nothing"];
const A_PERMISSION: &str = "\"internal\", \"nothing\" or an object with token";

pub fn overrides(node: &Node<'_>) -> Result<Override, ConfigError> {
    let fields = node.object(&["header", "cookie", "require"])?;
    let header = read(&fields, "header", |node| node.parse(HeaderName::parse))?;
    let cookie = read(&fields, "cookie", |node| node.parse(CookieName::parse))?;
    if header.is_none() && cookie.is_none() {
        return Err(node.error(Problem::OverrideNowhere));
    }
    Ok(Override {
        header,
        cookie,
        require: permission(fields.required("require")?)?,
    })
}

pub fn permission(node: Node<'_>) -> Result<Permission, ConfigError> {
    let node = node.secret();
    let (kind, value) = node.choice(REQUIRE, A_PERMISSION)?;
    match (kind, value) {
        ("internal", None) => Ok(Permission::Internal),
        ("nothing", None) => Ok(Permission::Everyone),
        ("token", Some(node)) => token(&node).map(Permission::Token),
        _ => Err(node.no_choice(A_PERMISSION)),
    }
}

fn token(node: &Node<'_>) -> Result<Token, ConfigError> {
    let fields = node.object(&["header", "sha256"])?;
    Ok(Token {
        header: fields
            .required("header")?
            .parse(HeaderName::parse_writable)?,
        sha256: fields.required("sha256")?.parse(Sha256Digest::parse)?,
    })
}

pub fn ramp(node: &Node<'_>) -> Result<Ramp, ConfigError> {
    let fields = node.object(&["start", "steps"])?;
    let start_ms = fields.required("start")?.parse(parse_time_ms)?;
    let steps_node = fields.required("steps")?;
    let nodes = steps_node.array()?;
    let steps = nodes.iter().map(step).collect::<Result<Vec<_>, _>>()?;
    Ramp::new(start_ms, &steps).map_err(|(index, problem)| {
        let place = index.and_then(|index| nodes.get(index));
        place.unwrap_or(&steps_node).error(problem)
    })
}

fn step(node: &Node<'_>) -> Result<(Percent, Option<u64>), ConfigError> {
    let fields = node.object(&["weight", "hold"])?;
    let weight = percent(&fields.required("weight")?)?;
    let hold_ms = read(&fields, "hold", |node| node.parse(parse_duration_ms))?;
    Ok((weight, hold_ms))
}

pub fn guard(node: &Node<'_>) -> Result<Guard, ConfigError> {
    let fields = node.object(&[
        "window",
        "min_requests",
        "max_error_rate",
        "max_error_rate_over_stable",
        "slow_after",
        "max_slow_rate",
        "max_slow_rate_over_stable",
    ])?;
    let guard = Guard {
        window_ms: fields.required("window")?.parse(parse_window_ms)?,
        min_requests: fields.required("min_requests")?.integer(1, MAX_REQUESTS)?,
        error_rate: limits(&fields, "max_error_rate", "max_error_rate_over_stable")?,
        slow_rate: limits(&fields, "max_slow_rate", "max_slow_rate_over_stable")?,
        slow_after_ms: read(&fields, "slow_after", |node| {
            node.parse(parse_slow_after_ms)
        })?,
    };
    let limits_slow = guard.slow_rate != Limits::default();
    if guard.error_rate == Limits::default() && !limits_slow && guard.slow_after_ms.is_none() {
        return Err(node.error(Problem::GuardWithoutLimit));
    }
    match guard.slow_after_ms {
        Some(_) if !limits_slow => Err(node.error(Problem::SlowAfterWithoutLimit)),
        None if limits_slow => Err(node.error(Problem::SlowLimitWithoutSlowAfter)),
        _ => Ok(guard),
    }
}

fn limits(fields: &Object<'_>, max: &str, max_over_stable: &str) -> Result<Limits, ConfigError> {
    Ok(Limits {
        max: read(fields, max, percent)?,
        max_over_stable: read(fields, max_over_stable, percent)?,
    })
}

fn parse_window_ms(text: &str) -> Result<u64, Problem> {
    let window_ms = parse_duration_ms(text)?;
    if (MIN_WINDOW_MS..=MAX_WINDOW_MS).contains(&window_ms) {
        Ok(window_ms)
    } else {
        Err(Problem::Window(text.to_owned()))
    }
}

fn parse_slow_after_ms(text: &str) -> Result<u64, Problem> {
    match parse_duration_ms(text)? {
        0 => Err(Problem::SlowAfterZero(text.to_owned())),
        millis => Ok(millis),
    }
}
