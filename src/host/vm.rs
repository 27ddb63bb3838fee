//! What lives as long as the VM, through all configurations.

use super::metric::{Counter, Gauge, get_or_define};
use super::proxy_wasm::calls::{self, HostStatus};
use super::rollout_state::RolloutState;
use super::suspect_counter::Watch;
use crate::metrics;
use crate::value::name::RolloutName;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use xxhash_rust::xxh64::{Xxh64Builder, xxh64};

thread_local! {
    static VM: Vm = Vm::default();
}

/// Envoy makes a new metric id each time a metric is defined and never takes one back, so each is
/// defined once, not once for each configuration.
#[derive(Default)]
struct Vm {
    general: OnceCell<GeneralMetrics>,
    signal: OnceCell<Rc<Watch>>,
    rollouts: RefCell<HashMap<RolloutName, Rc<RolloutState>, Xxh64Builder>>,
    rng: OnceCell<RefCell<fastrand::Rng>>,
}

/// The metrics that belong to no rollout.
#[derive(Clone, Copy, Debug)]
pub struct GeneralMetrics {
    pub config_fingerprint: Gauge,
    pub unmatched: Counter,
}

/// The metrics that belong to no rollout.
pub fn general_metrics() -> Result<GeneralMetrics, HostStatus> {
    let define = || {
        Ok(GeneralMetrics {
            config_fingerprint: Gauge::define(metrics::CONFIG_FINGERPRINT)?,
            unmatched: Counter::define(metrics::UNMATCHED_TOTAL)?,
        })
    };
    VM.with(|vm| get_or_define(&vm.general, define).copied())
}

/// The signal of Envoy's access log.
pub fn signal() -> Result<Rc<Watch>, HostStatus> {
    let define = || Watch::define().map(Rc::new);
    VM.with(|vm| get_or_define(&vm.signal, define).cloned())
}

/// What is kept of a rollout.
pub fn rollout_state(name: &RolloutName) -> Result<Rc<RolloutState>, HostStatus> {
    VM.with(|vm| {
        let mut rollouts = vm.rollouts.borrow_mut();
        if let Some(state) = rollouts.get(name) {
            return Ok(Rc::clone(state));
        }
        let state = Rc::new(RolloutState::define(name)?);
        rollouts.insert(name.clone(), Rc::clone(&state));
        Ok(state)
    })
}

/// Visits all that is kept, of rollouts too that are there no longer.
pub fn for_each_rollout(mut visit: impl FnMut(&RolloutName, &RolloutState)) {
    VM.with(|vm| {
        for (name, state) in vm.rollouts.borrow().iter() {
            visit(name, state);
        }
    });
}

/// Draws from the VM's random numbers.
///
/// Within a request: the seed is the time of the VM's first request and the id of its connection,
/// which no other worker of this Envoy has. A VM knows nothing else that differs between workers.
pub fn with_rng<T>(draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
    VM.with(|vm| {
        let rng = vm.rng.get_or_init(|| RefCell::new(seeded()));
        draw(&mut rng.borrow_mut())
    })
}

fn seeded() -> fastrand::Rng {
    let connection = calls::property(b"connection\0id").unwrap_or_default();
    fastrand::Rng::with_seed(xxh64(&connection, calls::now_ns()))
}
