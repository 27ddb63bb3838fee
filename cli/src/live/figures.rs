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
        let times = scrape.response_start.get(color.as_str());
        let known = before.and_then(|it| it.response_start.as_ref());
        let response_start = times.map(|times| match known {
            Some(known) if **known == *times => Arc::clone(known),
            _ => Arc::new(times.clone()),
        });
        Self {
            requests,
            overridden: sum("bluegreen_requests_total", &[("reason", "override")]).unwrap_or(0.0),
            failures: sum("bluegreen_failures_total", &[]).unwrap_or(0.0),
            finished: finished.or_else(responses).unwrap_or(requests),
            slow: sum("bluegreen_guard_slow_total", &[]),
            response_start,
        }
    }

    /// What has come since `begin`.
    pub fn since(&self, begin: &Self) -> Self {
        let nothing = Histogram::default();
        let times = self.response_start.as_ref().map(|times| {
            let before = begin.response_start.as_deref().unwrap_or(&nothing);
            Arc::new(times.since(before))
        });
        Self {
            requests: (self.requests - begin.requests).max(0.0),
            overridden: (self.overridden - begin.overridden).max(0.0),
            failures: (self.failures - begin.failures).max(0.0),
            finished: (self.finished - begin.finished).max(0.0),
            slow: self
                .slow
                .map(|slow| (slow - begin.slow.unwrap_or(0.0)).max(0.0)),
            response_start: times,
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
}

/// A part in percent of the whole, at most 100; none of nothing.
pub fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| (100.0 * part / whole).min(100.0))
}
