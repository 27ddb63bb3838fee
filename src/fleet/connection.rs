//! Whether etcd answers, and the events to log about it.

use crate::fleet::event::FleetEvent;
use crate::json::found::Found;

/// How the exchanges with etcd go.
#[derive(Debug, Default)]
pub struct Connection {
    /// How the last one went; nothing before the first.
    is_good: Option<bool>,
    /// How many have failed in a row.
    failures: u32,
    errors: u64,
    events: Vec<FleetEvent>,
    has_skipped: bool,
}

// === impl Connection ===

impl Connection {
    /// With so many failures in a row this proxy judges by itself.
    const MAX_FAILURES: u32 = 2;

    /// All but the number of errors is forgotten.
    pub fn forget(&mut self) {
        *self = Self {
            errors: self.errors,
            ..Self::default()
        };
    }

    /// Whether the last exchange went well.
    pub fn is_good(&self) -> bool {
        self.is_good == Some(true)
    }

    /// Whether the last exchange has failed.
    pub const fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Whether so many exchanges have failed that this proxy judges by itself.
    pub const fn is_lost(&self) -> bool {
        self.failures >= Self::MAX_FAILURES
    }

    /// Failed exchanges and keys that could not be read since the last call.
    pub fn take_errors(&mut self) -> u64 {
        std::mem::take(&mut self.errors)
    }

    /// Events to log.
    pub fn take_events(&mut self) -> Vec<FleetEvent> {
        std::mem::take(&mut self.events)
    }

    /// An exchange has failed.
    pub fn failed(&mut self, why: &str) {
        self.errors = self.errors.saturating_add(1);
        self.failures = self.failures.saturating_add(1);
        if self.is_good.replace(false) != Some(false) {
            self.events.push(FleetEvent::Disconnected(why.to_owned()));
        }
    }

    /// An exchange went well. So many proxies are there.
    pub fn succeeded(&mut self, proxies: u64) {
        self.failures = 0;
        if self.is_good.replace(true) != Some(true) {
            self.events.push(FleetEvent::Connected(proxies));
        }
    }

    /// These keys could not be read.
    pub fn skipped(&mut self, keys: &[String]) {
        let count = u64::try_from(keys.len()).unwrap_or(0);
        self.errors = self.errors.saturating_add(count);
        if let Some(first) = keys.first()
            && !std::mem::replace(&mut self.has_skipped, true)
        {
            let first = Found::name(first).to_string();
            self.events.push(FleetEvent::Skipped(first));
        }
    }

    /// Several processes have these names.
    pub fn share_names(&mut self, names: Vec<String>) {
        let names = names.into_iter().map(FleetEvent::SharedName);
        self.events.extend(names);
    }
}
