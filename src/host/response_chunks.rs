//! What a stream does with the pieces of its response's body.

use super::chunk_metrics::ChunkMetrics;
use super::routed_stream::RoutedStream;
use super::serving::Serving;
use super::waiting;

// === impl RoutedStream ===

impl RoutedStream {
    /// Takes a piece of the response's body.
    pub fn response_body(&mut self, serving: &Serving, size: usize, is_last: bool) {
        serving.response_bodies.come();
        let Some(body) = &mut self.body else { return };
        waiting::note_body();
        if size == 0 {
            if is_last {
                self.take_end(serving);
            }
            return;
        }
        body.read(size);
        let is_first = body.awaits_first_chunk();
        if let Some(chunks) = self.chunks() {
            chunks.count();
        }
        if is_first {
            self.take_first_chunk(serving);
        }
    }

    fn take_first_chunk(&mut self, serving: &Serving) {
        let now_ns = self.now_ns();
        if let Some(body) = &mut self.body {
            body.first_ns = Some(now_ns);
        }
        if let Some(chunks) = self.chunks() {
            chunks.first_chunk_ms.record(self.elapsed_ms(now_ns));
        }
        self.has_answer = true;
        if let Some((rollout, _)) = serving.rollout(self.rollout) {
            self.take_wait(rollout, now_ns);
        }
    }

    /// The response is whole: there is no more to wait for. One whose body is not seen may have been fast.
    pub fn take_end(&mut self, serving: &Serving) {
        self.has_answer = true;
        if self.waiting.is_none() || !serving.response_bodies.has_come() {
            return;
        }
        let now_ns = self.now_ns();
        if let Some((rollout, _)) = serving.rollout(self.rollout) {
            self.take_wait(rollout, now_ns);
        }
    }

    /// Whether the first byte of the body is what the request waits for. Where bodies are known not to reach the
    /// filter, the response's start has to do.
    pub fn awaits_first_chunk(&self, serving: &Serving) -> bool {
        let body = self.body.as_ref();
        body.is_some_and(|body| body.awaits_first_chunk()) && !serving.response_bodies.is_missed()
    }

    /// Shows how long the body took, and its last pieces.
    pub fn show_chunks(&self) {
        let first_ns = self.body.as_ref().and_then(|body| body.first_ns);
        if let (Some(first_ns), Some(chunks)) = (first_ns, self.chunks()) {
            let streamed_ns = self.now_ns().saturating_sub(first_ns);
            chunks.stream_ms.record(streamed_ns / 1_000_000);
            chunks.show();
        }
    }

    fn chunks(&self) -> Option<&ChunkMetrics> {
        self.body.as_ref().filter(|body| body.is_timed())?;
        let chunks = if self.role.is_copy {
            &self.state.shadow_chunks
        } else {
            &self.state.chunks
        };
        Some(chunks.get()?.of(self.origin.color))
    }
}
