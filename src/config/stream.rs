//! `stream`: what is watched of responses that come piece by piece.

use crate::analysis::streaming::Streaming;
use crate::config::kind::Flag;
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use serde::Deserialize;

/// What is watched of responses that come piece by piece. One or both are `true`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(extend("anyOf" = [
        { "required": ["first_chunk"] },
        { "required": ["sse_errors"] }
    ]))
)]
pub struct StreamConfig<'d> {
    /// Whether the first byte of the body is timed; `slow_after` goes by it then. `false` where absent.
    #[serde(default)]
    first_chunk: Field<'d, Flag>,
    /// Whether a server-sent `event: error`, and server-sent events that end in the middle of one, count as failed;
    /// `false` where absent.
    #[serde(default)]
    sse_errors: Field<'d, Flag>,
}

// === impl StreamConfig ===

impl Read for StreamConfig<'_> {
    type Valid = Streaming;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Streaming> {
        let before = problems.count();
        let raw: StreamConfig<'_> = read_object(node, problems)?;
        let mut flag = |field: &Field<'_, Flag>| field.optional(node, problems).unwrap_or(false);
        let streaming = Streaming {
            first_chunk: flag(&raw.first_chunk),
            sse_errors: flag(&raw.sse_errors),
        };
        let asks_for_nothing = !streaming.first_chunk && !streaming.sse_errors;
        if asks_for_nothing && problems.count() == before {
            node.problem(
                problems,
                "asks for nothing, must have first_chunk or sse_errors that is true",
            );
        }
        Some(streaming)
    }
}
