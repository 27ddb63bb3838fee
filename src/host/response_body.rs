//! The body of a response whose rollout watches streams.

use super::proxy_wasm::calls;
use crate::analysis::event_stream::EventStream;
use crate::analysis::streaming::Streaming;

/// What is known of it so far.
pub struct ResponseBody {
    streaming: Streaming,
    /// When its first byte came.
    pub first_ns: Option<u64>,
    /// Headers have come that say that there is one.
    pub is_announced: bool,
    events: Option<EventStream>,
}

// === impl ResponseBody ===

impl ResponseBody {
    pub const fn new(streaming: Streaming) -> Self {
        Self {
            streaming,
            first_ns: None,
            is_announced: false,
            events: None,
        }
    }

    /// Whether its pieces are timed and counted.
    pub const fn is_timed(&self) -> bool {
        self.streaming.first_chunk
    }

    /// Whether its first byte is timed and has not come.
    pub const fn awaits_first_chunk(&self) -> bool {
        self.is_timed() && self.first_ns.is_none()
    }

    /// The response has begun. Events that are compressed can't be read.
    pub fn response_started(&mut self, is_whole: bool) {
        self.is_announced = !is_whole;
        if is_whole || !self.streaming.sse_errors {
            return;
        }
        let content_type = calls::response_header("content-type");
        if content_type.is_some_and(|it| EventStream::has_content_type(&it))
            && calls::response_header("content-encoding")
                .is_none_or(|it| it.eq_ignore_ascii_case(b"identity"))
        {
            self.events = Some(EventStream::default());
        }
    }

    /// Reads a piece, where it may tell something. Those that do not reach the filter whole are not judged.
    pub fn read(&mut self, size: usize) {
        let Some(events) = &mut self.events else {
            return;
        };
        if events.has_error() {
            return;
        }
        match calls::response_body(size) {
            Ok(piece) => events.read(&piece),
            Err(_) => self.events = None,
        }
    }

    /// Whether it says itself that it has failed, if it ends here.
    pub fn has_failed(&self) -> bool {
        self.events.is_some_and(|events| events.has_failed())
    }
}
