//! `sticky`: where the key may stand.

use super::read;
use super::time::parse_duration;
use crate::assign::key_source::{KeySource, MetadataPath};
use crate::assign::new_cookie::{CookieAttributes, NewCookie, SameSite};
use crate::error::{ConfigError, Problem};
use crate::node::Node;
use crate::request::cookie::CookieName;
use crate::value::header_name::HeaderName;
use std::time::Duration;

const STICKY: &[&str] = &[
    "header",
    "cookie",
    "query",
    "metadata",
    "source_ip",
    "new_cookie",
];

pub fn sticky(node: &Node<'_>) -> Result<(Vec<KeySource>, Option<NewCookie>), ConfigError> {
    let nodes = node.array()?;
    let mut sources = Vec::with_capacity(nodes.len());
    let mut new_cookie = None;
    for node in &nodes {
        if new_cookie.is_some() {
            return Err(node.error(Problem::SourceAfterNewCookie));
        }
        let (kind, value) = node.choice(STICKY, A_SOURCE)?;
        let source = match (kind, value) {
            ("header", Some(node)) => KeySource::Header(node.parse(HeaderName::parse)?),
            ("cookie", Some(node)) => KeySource::Cookie(node.parse(CookieName::parse)?),
            ("query", Some(node)) => KeySource::Query(node.parse(KeySource::parse_query)?),
            ("metadata", Some(node)) => KeySource::Metadata(metadata(&node)?),
            ("source_ip", None) => KeySource::SourceIp,
            ("new_cookie", Some(node)) => {
                let cookie = new_cookie.insert(read_new_cookie(&node)?);
                KeySource::Cookie(cookie.name().clone())
            }
            _ => return Err(node.no_choice(A_SOURCE)),
        };
        sources.push(source);
    }
    Ok((sources, new_cookie))
}

const A_SOURCE: &str = "\"source_ip\", or an object with one of header, cookie, query, metadata \
                        and new_cookie";

fn parse_max_age(text: &str) -> Result<Duration, Problem> {
    let age = parse_duration(text)?;
    if age.as_secs() == 0 || age.subsec_nanos() != 0 {
        return Err(Problem::CookieMaxAge(text.to_owned()));
    }
    Ok(age)
}

fn metadata(node: &Node<'_>) -> Result<MetadataPath, ConfigError> {
    let segments = node.array()?;
    let segments: Vec<&str> = segments
        .iter()
        .map(Node::string)
        .collect::<Result<_, _>>()?;
    MetadataPath::new(&segments).map_err(|problem| node.error(problem))
}

fn read_new_cookie(node: &Node<'_>) -> Result<NewCookie, ConfigError> {
    let fields = node.object(&["name", "max_age", "path", "domain", "same_site", "secure"])?;
    let name = fields.required("name")?.parse(CookieName::parse)?;
    let same_site = read(&fields, "same_site", |node| node.parse(SameSite::parse))?;
    let attributes = CookieAttributes {
        max_age: read(&fields, "max_age", |node| node.parse(parse_max_age))?,
        path: read(&fields, "path", Node::string)?.unwrap_or("/"),
        domain: read(&fields, "domain", Node::string)?,
        same_site: same_site.unwrap_or_default(),
        secure: read(&fields, "secure", Node::boolean)?.unwrap_or(false),
    };
    NewCookie::new(name, &attributes).map_err(|problem| node.error(problem))
}
