//! Envoy's metrics for the exchange with a fleet.

use super::proxy_wasm::metric::{Counter, Gauge};
use crate::metrics;
use crate::policy::shared_store::HostStatus;

/// What the stats show of the exchange.
#[derive(Debug)]
pub struct FleetMetrics {
    connected: Gauge,
    proxies: Gauge,
    pub errors: Counter,
}

// === impl FleetMetrics ===

impl FleetMetrics {
    pub fn define() -> Result<Self, HostStatus> {
        Ok(Self {
            connected: Gauge::define(metrics::FLEET_CONNECTED)?,
            proxies: Gauge::define(metrics::FLEET_PROXIES)?,
            errors: Counter::define(metrics::FLEET_ERRORS_TOTAL)?,
        })
    }

    pub fn show(&self, is_connected: bool, proxies: u64) {
        self.connected.set(is_connected);
        self.proxies.set(proxies);
    }
}
