//! What is watched of responses that come piece by piece.

/// What a rollout asks of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streaming {
    /// The first byte of the body is timed, and a response is slow by it.
    pub first_chunk: bool,
    /// Server-sent events are read for errors and for an end that is missing.
    pub sse_errors: bool,
}
