//! What one VM keeps of a plugin through all its configurations.

use super::fleet_metrics::FleetMetrics;
use super::proxy_wasm::metric::{Counter, Gauge, get_or_define};
use super::rollout_state::RolloutState;
use super::store::HostStore;
use super::suspect_counter::SuspectCounter;
use crate::fleet::exchange::Exchange;
use crate::metrics;
use crate::policy::peers::Peers;
use crate::policy::shared_keys::SharedKeys;
use crate::policy::shared_store::HostStatus;
use crate::policy::vm_counts::VmCounts;
use crate::value::name::RolloutName;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use xxhash_rust::xxh64::Xxh64Builder;

/// Envoy makes a new metric id each time a metric is defined and never takes one back, so each is
/// defined once, not once for each configuration.
pub struct Plugin {
    pub keys: SharedKeys,
    pub config_fingerprint: Gauge,
    pub unmatched: Counter,
    suspects: OnceCell<Rc<SuspectCounter>>,
    peers: RefCell<Peers<HostStore>>,
    /// The exchange with the fleet, where this VM leads.
    pub exchange: RefCell<Exchange>,
    fleet_metrics: OnceCell<FleetMetrics>,
    /// Whether clients wait until the fleet's store has what this VM counted.
    is_awaited: Cell<bool>,
    rollouts: RefCell<HashMap<RolloutName, Rc<RolloutState>, Xxh64Builder>>,
    /// Whether this VM has counted something that the others do not know.
    has_counted: Rc<Cell<bool>>,
}

// === impl Plugin ===

impl Plugin {
    pub fn define(keys: SharedKeys) -> Result<Self, HostStatus> {
        Ok(Self {
            config_fingerprint: Gauge::define(metrics::CONFIG_FINGERPRINT)?,
            unmatched: Counter::define(metrics::UNMATCHED_TOTAL)?,
            suspects: OnceCell::new(),
            peers: RefCell::new(Peers::new(HostStore, keys.clone())),
            exchange: RefCell::default(),
            fleet_metrics: OnceCell::new(),
            is_awaited: Cell::default(),
            rollouts: RefCell::default(),
            has_counted: Rc::default(),
            keys,
        })
    }

    /// The counter by which Envoy's access log signals streams.
    pub fn suspects(&self) -> Result<Rc<SuspectCounter>, HostStatus> {
        let define = || SuspectCounter::define().map(Rc::new);
        get_or_define(&self.suspects, define).cloned()
    }

    /// What the stats show of the exchange.
    pub fn fleet_metrics(&self) -> Result<&FleetMetrics, HostStatus> {
        get_or_define(&self.fleet_metrics, FleetMetrics::define)
    }

    /// The same, where it was ever asked for.
    pub fn known_fleet_metrics(&self) -> Option<&FleetMetrics> {
        self.fleet_metrics.get()
    }

    /// Tells the other VMs whether clients wait until the fleet's store has what this one counted.
    pub fn set_awaited(&self, is_awaited: bool) {
        if self.is_awaited.replace(is_awaited) != is_awaited {
            self.has_counted.set(true);
        }
    }

    /// Works with what this VM and the others of its Envoy have in common.
    pub fn with_peers<T>(&self, work: impl FnOnce(&mut Peers<HostStore>) -> T) -> T {
        work(&mut self.peers.borrow_mut())
    }

    /// What this VM has counted, where the others do not know it.
    pub fn counted(&self) -> Option<VmCounts> {
        self.has_counted.get().then(|| {
            let mut counts = VmCounts {
                is_awaited: self.is_awaited.get(),
                ..VmCounts::default()
            };
            for (name, state) in self.rollouts.borrow().iter() {
                let name = name.as_str().to_owned();
                if let Some(recent) = state.publish_recent() {
                    counts.recent.insert(name.clone(), recent);
                }
                counts.rollouts.insert(name, state.counts());
            }
            counts
        })
    }

    /// The others know what was counted.
    pub fn clear_counted(&self) {
        self.has_counted.set(false);
    }

    /// What is kept of a rollout.
    pub fn rollout_state(&self, name: &RolloutName) -> Result<Rc<RolloutState>, HostStatus> {
        let mut rollouts = self.rollouts.borrow_mut();
        if let Some(state) = rollouts.get(name) {
            return Ok(Rc::clone(state));
        }
        let has_counted = Rc::clone(&self.has_counted);
        let state = Rc::new(RolloutState::define(name, has_counted)?);
        rollouts.insert(name.clone(), Rc::clone(&state));
        Ok(state)
    }

    /// Visits all that is kept, of rollouts too that are there no longer.
    pub fn for_each_rollout(&self, mut visit: impl FnMut(&RolloutName, &RolloutState)) {
        for (name, state) in self.rollouts.borrow().iter() {
            visit(name, state);
        }
    }
}
