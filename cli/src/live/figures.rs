//! The counters of one color, and what became of them over some time.

use crate::live::histogram::Histogram;
use crate::live::scrape::RolloutScrape;
use bluegreen::Color;
use std::sync::Arc;

/// The counters of one color at one moment. The profiles and the configuration decide which are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Requests.
    pub requests: f64,
    /// Those of them that had an override, which weights do not concern.
    pub overridden: f64,
    /// Failed requests.
    pub failures: f64,
    /// What `failures` is out of.
    pub finished: f64,
    /// Slow requests, where a guard counts them.
    pub slow: Option<f64>,
    /// From request to response start, where it is measured.
    pub response_start: Option<Arc<Histogram>>,
    /// From request to the first byte of the body, where it is measured.
    pub first_chunk: Option<Arc<Histogram>>,
    /// Pieces of bodies, where they are counted.
    pub chunks: Option<f64>,
    /// Copies of requests.
    pub copies: f64,
    /// Those of them that failed.
    pub failed_copies: f64,
}

// === impl Figures ===

impl Figures {
    /// Those of a color. `before` are the last ones: times that have not changed are kept once.
    pub fn of(scrape: &RolloutScrape, color: Color, before: Option<&Self>) -> Self {
        let sum = |name: &str, more: &[(&str, &str)]| {
            let color = ("color", color.as_str());
            let labels: Vec<_> = [color].iter().chain(more).copied().collect();
            scrape.samples.sum(name, &labels)
        };
        let requests = sum("bluegreen_requests_total", &[]).unwrap_or(0.0);
        // The guard knows best what counts. Without one, clients that have left are no failures either.
        let responses = || {
            let all = sum("bluegreen_responses_total", &[])?;
            let left = sum("bluegreen_responses_total", &[("code_class", "none")]);
            Some(all - left.unwrap_or(0.0))
        };
        let finished = sum("bluegreen_guard_finished_total", &[]);
        let response_start = kept(
            scrape.response_start.get(color.as_str()),
            before.and_then(|it| it.response_start.as_ref()),
        );
        let first_chunk = kept(
            scrape.first_chunk.get(color.as_str()),
            before.and_then(|it| it.first_chunk.as_ref()),
        );
        Self {
            requests,
            overridden: sum("bluegreen_requests_total", &[("reason", "override")]).unwrap_or(0.0),
            failures: sum("bluegreen_failures_total", &[]).unwrap_or(0.0),
            finished: finished.or_else(responses).unwrap_or(requests),
            slow: sum("bluegreen_guard_slow_total", &[]),
            response_start,
            first_chunk,
            chunks: sum("bluegreen_chunks_total", &[]),
            copies: sum("bluegreen_shadow_requests_total", &[]).unwrap_or(0.0),
            failed_copies: sum("bluegreen_shadow_failures_total", &[]).unwrap_or(0.0),
        }
    }

    /// What has come since `begin`.
    pub fn since(&self, begin: &Self) -> Self {
        let nothing = Histogram::default();
        let times = |all: fn(&Self) -> Option<&Arc<Histogram>>| {
            let before = all(begin).map_or(&nothing, |it| it);
            all(self).map(|times| Arc::new(times.since(before)))
        };
        let risen = |now: f64, before: f64| (now - before).max(0.0);
        Self {
            requests: risen(self.requests, begin.requests),
            overridden: risen(self.overridden, begin.overridden),
            failures: risen(self.failures, begin.failures),
            finished: risen(self.finished, begin.finished),
            slow: self.slow.map(|slow| risen(slow, begin.slow.unwrap_or(0.0))),
            response_start: times(|it| it.response_start.as_ref()),
            first_chunk: times(|it| it.first_chunk.as_ref()),
            chunks: self
                .chunks
                .map(|chunks| risen(chunks, begin.chunks.unwrap_or(0.0))),
            copies: risen(self.copies, begin.copies),
            failed_copies: risen(self.failed_copies, begin.failed_copies),
        }
    }

    /// Requests that were given their color by weight.
    pub fn weighed(&self) -> f64 {
        (self.requests - self.overridden).max(0.0)
    }

    /// Failed ones in percent of the finished ones; none of none.
    pub fn error_percent(&self) -> Option<f64> {
        percent(self.failures, self.finished)
    }

    /// Slow ones in percent of the finished ones.
    pub fn slow_percent(&self) -> Option<f64> {
        percent(self.slow?, self.finished)
    }

    /// The response start below which this share of requests lies, in milliseconds.
    pub fn response_start_ms(&self, share: f64) -> Option<f64> {
        self.response_start.as_ref()?.quantile(share)
    }

    /// The same of the first byte of the body.
    pub fn first_chunk_ms(&self, share: f64) -> Option<f64> {
        self.first_chunk.as_ref()?.quantile(share)
    }
}

/// Times that have not changed are kept once.
fn kept(times: Option<&Histogram>, known: Option<&Arc<Histogram>>) -> Option<Arc<Histogram>> {
    times.map(|times| match known {
        Some(known) if **known == *times => Arc::clone(known),
        _ => Arc::new(times.clone()),
    })
}

/// A part in percent of the whole, at most 100; none of nothing.
pub fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| (100.0 * part / whole).min(100.0))
}
