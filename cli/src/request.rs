//! A request as Envoy would hand it to the filter, from a URL and headers.

use bluegreen::{KeySource, MetadataPath, Request};
use http::Uri;
use std::cell::Cell;

/// A request that was not sent.
#[derive(Debug)]
pub struct OfflineRequest {
    /// Its headers as the filter gets them.
    block: Vec<u8>,
    /// The authority, where there is one.
    pub authority: Option<String>,
    /// Path and query.
    pub path: String,
    source_ip: Option<String>,
    metadata: Vec<(Vec<u8>, String)>,
    asked: Cell<bool>,
}

// === impl OfflineRequest ===

impl OfflineRequest {
    /// A `GET` of a URL, with headers as for `curl -H`.
    ///
    /// # Errors
    /// Where the URL or a header can't be sent.
    pub fn new(url: &str, headers: &[String]) -> Result<Self, String> {
        let (authority, path) = split_url(url)?;
        let mut authority = authority;
        let mut others = Vec::new();
        for header in headers {
            let (name, value) = split_header(header)?;
            if name == "host" || name == ":authority" {
                authority = Some(value);
            } else {
                others.push((name, value));
            }
        }
        let mut all = vec![
            (":method".to_owned(), "GET".to_owned()),
            (":path".to_owned(), path.clone()),
        ];
        all.extend(authority.clone().map(|it| (":authority".to_owned(), it)));
        all.extend(others);
        Ok(Self {
            block: block(&all),
            authority,
            path,
            source_ip: None,
            metadata: Vec::new(),
            asked: Cell::new(false),
        })
    }

    /// With the address of the client, as Envoy trusts it.
    pub fn source_ip(mut self, address: Option<String>) -> Self {
        self.source_ip = address;
        self
    }

    /// With dynamic metadata, each as `namespace/key=value`.
    ///
    /// # Errors
    /// Where one has another form.
    pub fn metadata(mut self, entries: &[String]) -> Result<Self, String> {
        for entry in entries {
            let (path, value) = entry
                .split_once('=')
                .ok_or_else(|| format!("{entry:?}, must be namespace/key=value"))?;
            let segments: Vec<&str> = path.split('/').collect();
            let path = MetadataPath::new(&segments).map_err(|error| error.to_string())?;
            let joined: Vec<&[u8]> = path.segments().collect();
            let mut property = b"metadata\0filter_metadata\0".to_vec();
            property.extend(joined.join(&0));
            self.metadata.push((property, value.to_owned()));
        }
        Ok(self)
    }

    /// Hands the request, as the filter reads it, to a function.
    pub fn with<T>(&self, read: impl FnOnce(&Request<'_>) -> T) -> T {
        let property = |path: &[u8]| self.property(path);
        read(&Request {
            headers: bluegreen::Headers::new(&self.block),
            property: &property,
        })
    }

    /// Whether a source needs what only Envoy knows of a real request, and what was not given.
    pub fn lacks(&self, source: &KeySource) -> bool {
        self.asked.set(false);
        let is_found = self.with(|request| source.key(request).is_some());
        self.asked.get() && !is_found
    }

    fn property(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.asked.set(true);
        if path == b"source\0address" {
            return self.source_ip.clone().map(String::into_bytes);
        }
        let mut metadata = self.metadata.iter();
        let (_, value) = metadata.find(|(it, _)| it == path)?;
        Some(value.clone().into_bytes())
    }
}

/// Host and path; the host is absent where the URL is a path alone.
fn split_url(url: &str) -> Result<(Option<String>, String), String> {
    let invalid = |why: &str| {
        format!("{url:?}: {why}, must be a URL such as http://api.example.com/v1/items")
    };
    let url_without_fragment = url.split_once('#').map_or(url, |(url, _)| url);
    let is_whole = url_without_fragment.contains("://") || url_without_fragment.starts_with('/');
    let whole = if is_whole {
        url_without_fragment.to_owned()
    } else {
        format!("http://{url_without_fragment}")
    };
    let uri: Uri = whole
        .parse()
        .map_err(|error: http::uri::InvalidUri| invalid(&error.to_string()))?;
    if !matches!(uri.scheme_str(), None | Some("http" | "https")) {
        return Err(invalid("another scheme than http and https"));
    }
    let authority = uri.authority().map(|it| {
        let host = it.as_str();
        host.rsplit_once('@')
            .map_or(host, |(_, host)| host)
            .to_owned()
    });
    let path = uri.path_and_query().map_or("/", |it| it.as_str());
    let path = if path.starts_with('?') {
        format!("/{path}")
    } else {
        path.to_owned()
    };
    Ok((authority, path))
}

fn split_header(header: &str) -> Result<(String, String), String> {
    let invalid = || {
        format!(
            "header {:?}, must be 'name: value'",
            header.split(':').next().unwrap_or_default()
        )
    };
    let rest = header.strip_prefix(':').unwrap_or(header);
    let (bare, value) = rest.split_once(':').ok_or_else(invalid)?;
    let (bare, value) = (bare.trim(), value.trim());
    let pseudo = if rest.len() < header.len() { ":" } else { "" };
    let is_name = http::HeaderName::from_bytes(bare.as_bytes()).is_ok();
    let is_value = http::HeaderValue::from_str(value).is_ok()
        || http::HeaderValue::from_bytes(value.as_bytes()).is_ok();
    if is_name && is_value {
        Ok((
            format!("{pseudo}{}", bare.to_ascii_lowercase()),
            value.to_owned(),
        ))
    } else {
        Err(invalid())
    }
}

/// The block of the proxy-wasm ABI that [`bluegreen::Headers`] reads.
fn block(headers: &[(String, String)]) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let mut block = length(headers.len()).to_vec();
    for (name, value) in headers {
        block.extend(length(name.len()));
        block.extend(length(value.len()));
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        block.extend(text.as_bytes());
        block.push(0);
    }
    block
}
