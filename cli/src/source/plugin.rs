//! What a file says of the plugin, or why it says nothing.

use crate::source::place::Place;
use crate::source::yaml::{Kind, Yaml};
use std::fmt;

/// What a file says of the plugin beside its configuration.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// Where its configuration begins in the file.
    pub offset: usize,
    /// What the filter may call and be called for; none where all is allowed.
    pub capabilities: Option<Vec<String>>,
    /// Whether the filter may hold a request's headers back while it reads the body.
    pub holds_headers: bool,
}

/// Why a file has no configuration to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    /// Where, if it is at one place.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
}

// === impl Plugin ===

impl Plugin {
    /// Of the node that holds the configuration, which begins at a byte of the file.
    pub fn new(node: &Yaml, offset: usize) -> Self {
        let restriction = node.get("capability_restriction_config");
        let allowed = restriction.and_then(|it| it.get("allowed_capabilities"));
        let capabilities = match allowed.map(|it| &it.kind) {
            Some(Kind::Mapping(entries)) if !entries.is_empty() => {
                let names = entries.iter().filter_map(|(name, _)| name.text());
                Some(names.map(str::to_owned).collect())
            }
            _ => None,
        };
        let holds = node
            .get("allow_on_headers_stop_iteration")
            .and_then(Yaml::text);
        Self {
            offset,
            capabilities,
            holds_headers: holds == Some("true"),
        }
    }
}

// === impl SourceError ===

impl SourceError {
    /// One that concerns the whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self {
            place: None,
            message: message.into(),
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SourceError {}
