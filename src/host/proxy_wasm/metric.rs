//! The kinds of metrics that Envoy keeps.

use super::calls;
use crate::policy::shared_store::HostStatus;
use ::proxy_wasm::types::MetricType;
use std::cell::OnceCell;

/// Only ever goes up.
#[derive(Clone, Copy, Debug)]
pub struct Counter(u32);

/// Goes up and down.
#[derive(Clone, Copy, Debug)]
pub struct Gauge(u32);

/// Counts samples in buckets.
#[derive(Clone, Copy, Debug)]
pub struct Histogram(u32);

/// What is defined once, however often it is asked for.
pub fn get_or_define<T>(
    cell: &OnceCell<T>,
    define: impl FnOnce() -> Result<T, HostStatus>,
) -> Result<&T, HostStatus> {
    if let Some(defined) = cell.get() {
        return Ok(defined);
    }
    let defined = define()?;
    Ok(cell.get_or_init(|| defined))
}

// === impl Counter ===

impl Counter {
    pub fn define(name: &str) -> Result<Self, HostStatus> {
        calls::define_metric(MetricType::Counter, name).map(Self)
    }

    pub fn increment(self) {
        calls::increment_metric(self.0, 1);
    }

    /// Adds so many; Envoy does not take a step of 0.
    pub fn add(self, count: u64) {
        match i64::try_from(count) {
            Ok(0) | Err(_) => {}
            Ok(count) => calls::increment_metric(self.0, count),
        }
    }

    /// Over all workers.
    pub fn value(self) -> u64 {
        calls::metric(self.0)
    }
}

// === impl Gauge ===

impl Gauge {
    pub fn define(name: &str) -> Result<Self, HostStatus> {
        calls::define_metric(MetricType::Gauge, name).map(Self)
    }

    pub fn add(self, step: i64) {
        calls::increment_metric(self.0, step);
    }

    pub fn set(self, value: impl Into<u64>) {
        calls::record_metric(self.0, value.into());
    }
}

// === impl Histogram ===

impl Histogram {
    pub fn define(name: &str) -> Result<Self, HostStatus> {
        calls::define_metric(MetricType::Histogram, name).map(Self)
    }

    pub fn record(self, value: u64) {
        calls::record_metric(self.0, value);
    }
}
