//! `sticky`: where the key of a user is.

use crate::assign::key_source::KeySource;
use crate::assign::new_cookie::{CookieAttributes, NewCookie};
use crate::config::kind::{
    AttributeDomain, AttributePath, AttributeSameSite, Cookie, Flag, Header, MaxAge, Metadata,
    QueryParameter,
};
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object, read_variant};
use crate::json::problems::Problems;
use serde::Deserialize;

/// One source of the key.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub enum SourceConfig<'d> {
    /// The value of a request header.
    Header(Field<'d, Header>),
    /// The value of a cookie.
    Cookie(Field<'d, Cookie>),
    /// The value of a query parameter.
    Query(Field<'d, QueryParameter>),
    /// A value that another filter left in the dynamic metadata.
    Metadata(Field<'d, Metadata>),
    /// The client's address.
    SourceIp,
    /// A cookie that is set where a request has none of the others. It must be the last source.
    NewCookie(Field<'d, NewCookieConfig<'d>>),
}

/// A cookie with a random id.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct NewCookieConfig<'d> {
    /// Its name.
    name: Field<'d, Cookie>,
    /// How long browsers keep it; for the session where absent.
    #[serde(default)]
    max_age: Field<'d, MaxAge>,
    /// Below which path it is sent; `/` where absent.
    #[serde(default)]
    path: Field<'d, AttributePath>,
    /// To which domain and its subdomains it is sent; to the host alone where absent.
    #[serde(default)]
    domain: Field<'d, AttributeDomain>,
    /// With which requests from other sites it is sent; `lax` where absent.
    #[serde(default)]
    same_site: Field<'d, AttributeSameSite>,
    /// Whether it is sent over TLS alone; `false` where absent. It must be `true` with `same_site` `none`.
    #[serde(default)]
    secure: Field<'d, Flag>,
}

// === impl SourceConfig ===

const A_SOURCE: &str =
    "\"source_ip\", or an object with one of header, cookie, query, metadata and new_cookie";

impl Read for Vec<SourceConfig<'_>> {
    type Valid = (Vec<KeySource>, Option<NewCookie>);

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self::Valid> {
        let mut sources = Vec::new();
        let mut new_cookie = None;
        let mut is_last = false;
        for (index, json) in node.array(problems)?.into_iter().enumerate() {
            let node = node.item(index, json);
            if is_last {
                node.problem(problems, "a source after new_cookie, must be before it");
            }
            let Some(source) = read_variant(&node, A_SOURCE, problems) else {
                continue;
            };
            is_last |= matches!(source, SourceConfig::NewCookie(_));
            sources.extend(read_source(&source, &node, &mut new_cookie, problems));
        }
        Some((sources, new_cookie))
    }
}

fn read_source(
    source: &SourceConfig<'_>,
    node: &Node<'_>,
    new_cookie: &mut Option<NewCookie>,
    problems: &mut Problems,
) -> Option<KeySource> {
    Some(match source {
        SourceConfig::Header(name) => KeySource::Header(name.required(node, problems)?),
        SourceConfig::Cookie(name) => KeySource::Cookie(name.required(node, problems)?),
        SourceConfig::Query(name) => KeySource::Query(name.required(node, problems)?),
        SourceConfig::Metadata(path) => KeySource::Metadata(path.required(node, problems)?),
        SourceConfig::SourceIp => KeySource::SourceIp,
        SourceConfig::NewCookie(cookie) => {
            let cookie = new_cookie.insert(cookie.required(node, problems)?);
            KeySource::Cookie(cookie.name().clone())
        }
    })
}

// === impl NewCookieConfig ===

impl Read for NewCookieConfig<'_> {
    type Valid = NewCookie;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<NewCookie> {
        let before = problems.count();
        let raw: NewCookieConfig<'_> = read_object(node, problems)?;
        let name = raw.name.required(node, problems);
        let attributes = CookieAttributes {
            max_age: raw.max_age.optional(node, problems),
            path: raw.path.optional(node, problems).unwrap_or_default(),
            domain: raw.domain.optional(node, problems),
            same_site: raw.same_site.optional(node, problems).unwrap_or_default(),
            secure: raw.secure.optional(node, problems).unwrap_or_default(),
        };
        if problems.count() > before {
            return None;
        }
        NewCookie::new(name?, attributes)
            .map_err(|problem| node.problem(problems, problem))
            .ok()
    }
}
