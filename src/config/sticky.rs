//! `sticky`: where the key may stand.

use super::read;
use super::time::parse_duration;
use crate::cookie::{self, CookieAttributes, NewCookie, SameSite};
use crate::error::{ConfigError, Problem};
use crate::headers::HeaderName;
use crate::key::{KeySource, MetadataPath};
use crate::node::Node;

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
        let (kind, value) = node.choice(STICKY)?;
        let source = match (kind, value) {
            ("header", Some(node)) => KeySource::Header(node.parse(HeaderName::parse)?),
            ("cookie", Some(node)) => KeySource::Cookie(node.parse(cookie::parse_name)?),
            ("query", Some(node)) => KeySource::Query(node.parse(KeySource::parse_query)?),
            ("metadata", Some(node)) => KeySource::Metadata(metadata(&node)?),
            ("source_ip", None) => KeySource::SourceIp,
            ("new_cookie", Some(node)) => {
                let cookie = new_cookie.insert(read_new_cookie(&node)?);
                KeySource::Cookie(cookie.name().to_owned())
            }
            _ => return Err(node.no_choice(STICKY)),
        };
        sources.push(source);
    }
    Ok((sources, new_cookie))
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
    let name = fields.required("name")?.parse(cookie::parse_name)?;
    let same_site = read(&fields, "same_site", |node| node.parse(SameSite::parse))?;
    let attributes = CookieAttributes {
        max_age: read(&fields, "max_age", |node| node.parse(parse_duration))?,
        path: read(&fields, "path", Node::string)?.unwrap_or("/"),
        domain: read(&fields, "domain", Node::string)?,
        same_site: same_site.unwrap_or_default(),
        secure: read(&fields, "secure", Node::boolean)?.unwrap_or(false),
    };
    NewCookie::new(name, &attributes).map_err(|problem| node.error(problem))
}
