//! The canonical form of what is watched of streams; the rules are those of [`super::canonical`].

use crate::analysis::streaming::Streaming;
use serde::Serialize;

#[derive(Serialize)]
pub struct CanonicalStream {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_chunk: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sse_errors: Option<bool>,
}

impl CanonicalStream {
    pub fn new(stream: Streaming) -> Self {
        Self {
            first_chunk: stream.first_chunk.then_some(true),
            sse_errors: stream.sse_errors.then_some(true),
        }
    }
}
