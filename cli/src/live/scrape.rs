//! What one request to an Envoy's `/stats` tells.

use crate::envoy::samples::{Sample, Samples};
use crate::live::histogram::Histogram;
use bluegreen::Color;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an Envoy shows at one moment.
#[derive(Clone, Debug, Default)]
pub struct Scrape {
    /// The fingerprint of the configuration in force, where the filter is loaded.
    pub fingerprint: Option<u32>,
    /// How long the Envoy has run, in seconds.
    pub uptime_s: u64,
    /// How many configurations it has rejected.
    pub rejected: u64,
    /// Each rollout that has metrics.
    pub rollouts: BTreeMap<String, RolloutScrape>,
}

/// What an Envoy shows of one rollout.
#[derive(Clone, Debug, Default)]
pub struct RolloutScrape {
    /// Its counters and gauges, named as Prometheus has them.
    pub samples: Samples,
    /// From request to response start, by color.
    pub response_start: BTreeMap<&'static str, Histogram>,
    /// From request to the first byte of the body, by color.
    pub first_chunk: BTreeMap<&'static str, Histogram>,
}

/// The request. Names are those of Envoy, not of Prometheus, so it does not depend on rules for tags. One request for all
/// is the cheapest: Envoy goes through all its stats for each.
pub const PATH: &str = "/stats?format=json&histogram_buckets=detailed&filter=%5E(wasmcustom%5C.bluegreen%5C.%7Cserver%5C.uptime%24%7C(listener_manager%5C.lds%7Cextension_config_discovery%5C.http_filter%5C..*)%5C.update_rejected%24)";

const PREFIX: &str = "wasmcustom.bluegreen.";

// === impl Scrape ===

impl Scrape {
    /// Reads the page; none where it is no page of stats.
    pub fn parse(page: &Value) -> Option<Self> {
        let mut scrape = Self::default();
        for stat in page.get("stats")?.as_array()? {
            if let Some(details) = stat.pointer("/histograms/details") {
                let details = details.as_array().into_iter().flatten();
                details.for_each(|it| scrape.take_histogram(it));
            } else if let Some(name) = stat.get("name").and_then(Value::as_str)
                && let Some(value) = stat.get("value").and_then(Value::as_u64)
            {
                scrape.take(name, value);
            }
        }
        Some(scrape)
    }

    fn take(&mut self, name: &str, value: u64) {
        if name == "server.uptime" {
            self.uptime_s = value;
        } else if name.ends_with(".update_rejected") {
            self.rejected = self.rejected.saturating_add(value);
        } else if let Some(mut sample) = sample(name, value as f64) {
            if sample.name == "bluegreen_config_fingerprint" {
                self.fingerprint = u32::try_from(value).ok();
            } else if let Some(rollout) = sample.labels.get("rollout").cloned() {
                if sample.name == "bluegreen_ramp_step" {
                    // Before its start a ramp is at step -1, which Envoy's gauges show without a sign.
                    sample.value = (value as i64) as f64;
                }
                self.rollouts
                    .entry(rollout)
                    .or_default()
                    .samples
                    .push(sample);
            }
        }
    }

    fn take_histogram(&mut self, details: &Value) {
        let name = details.get("name").and_then(Value::as_str);
        let Some(sample) = name.and_then(|name| sample(name, 0.0)) else {
            return;
        };
        let color = sample.labels.get("color");
        let color = color.and_then(|color| Color::parse(color).ok());
        if let (Some(rollout), Some(color)) = (sample.labels.get("rollout"), color)
            && let Some(totals) = details.get("totals")
        {
            let rollout = self.rollouts.entry(rollout.clone()).or_default();
            let by_color = match sample.name.as_str() {
                "bluegreen_response_start_ms" => &mut rollout.response_start,
                "bluegreen_first_chunk_ms" => &mut rollout.first_chunk,
                _ => return,
            };
            by_color.insert(color.as_str(), Histogram::parse(totals));
        }
    }
}

/// A metric of the filter by its name in Envoy, in which labels and their values stand before the metric's own name.
fn sample(name: &str, value: f64) -> Option<Sample> {
    let mut parts = name.strip_prefix(PREFIX)?.split('.');
    let metric = parts.next_back()?;
    let mut labels = BTreeMap::new();
    while let (Some(label), Some(value)) = (parts.next(), parts.next()) {
        labels.insert(label.to_owned(), value.to_owned());
    }
    Some(Sample {
        name: format!("bluegreen_{metric}"),
        labels,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn labels_stand_in_names() {
        let scrape = Scrape::parse(&json!({ "stats": [
            { "name": "server.uptime", "value": 12 },
            { "name": "extension_config_discovery.http_filter.bluegreen.update_rejected", "value": 2 },
            { "name": "wasmcustom.bluegreen.config_fingerprint", "value": 3004818520_u32 },
            { "name": "wasmcustom.bluegreen.rollout.a-b_1.color.blue.reason.sticky.requests_total", "value": 7 },
            { "name": "wasmcustom.bluegreen.rollout.a-b_1.ramp_step", "value": u64::MAX },
            { "histograms": { "details": [{
                "name": "wasmcustom.bluegreen.rollout.a-b_1.color.green.response_start_ms",
                "totals": [{ "lower_bound": 5, "width": 0.1, "count": 3 }]
            }] } }
        ] }))
        .expect("stats");
        assert_eq!((scrape.uptime_s, scrape.rejected), (12, 2));
        assert_eq!(scrape.fingerprint, Some(3_004_818_520));
        let rollout = scrape.rollouts.get("a-b_1").expect("the rollout");
        let sticky = [("color", "blue"), ("reason", "sticky")];
        assert_eq!(
            rollout.samples.sum("bluegreen_requests_total", &sticky),
            Some(7.0)
        );
        assert_eq!(
            rollout.samples.of("bluegreen_ramp_step", "a-b_1"),
            Some(-1.0)
        );
        let times = rollout.response_start.get("green").expect("times");
        assert_eq!(times.count(), 3);
    }

    #[test]
    fn another_page_is_none() {
        assert!(Scrape::parse(&json!({ "version": "x" })).is_none());
        assert!(Scrape::parse(&json!({ "stats": 3 })).is_none());
        let empty = Scrape::parse(&json!({ "stats": [] })).expect("stats");
        assert_eq!(empty.fingerprint, None);
    }
}
