//! What lives as long as the VM, through all configurations.

use super::counted_flag;
use super::proxy_wasm::calls;
use super::proxy_wasm::metric::{Counter, Gauge, get_or_define};
use super::rollout_state::RolloutState;
use super::store::HostStore;
use super::suspect_counter::SuspectCounter;
use crate::metrics;
use crate::policy::shared_keys::SharedKeys;
use crate::policy::shared_store::HostStatus;
use crate::policy::vm_counts::VmCounts;
use crate::policy::worker::Peers;
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
    suspects: OnceCell<Rc<SuspectCounter>>,
    peers: OnceCell<RefCell<Peers<HostStore>>>,
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

/// The counter by which Envoy's access log signals streams.
pub fn suspect_counter() -> Result<Rc<SuspectCounter>, HostStatus> {
    let define = || SuspectCounter::define().map(Rc::new);
    VM.with(|vm| get_or_define(&vm.suspects, define).cloned())
}

/// Works with what this VM and the others of its Envoy have in common.
///
/// Within a root context: its plugin's name and root id tell the keys.
pub fn with_peers<T>(work: impl FnOnce(&mut Peers<HostStore>) -> T) -> T {
    VM.with(|vm| {
        let peers = vm.peers.get_or_init(|| {
            let property = |name: &[u8]| calls::property(name).unwrap_or_default();
            let keys = SharedKeys::of(&property(b"plugin_name"), &property(b"plugin_root_id"));
            RefCell::new(Peers::new(HostStore, keys))
        });
        work(&mut peers.borrow_mut())
    })
}

/// What this VM has counted, where the others do not know it.
pub fn counted() -> Option<VmCounts> {
    counted_flag::is_set().then(|| {
        let mut counts = VmCounts::default();
        for_each_rollout(|name, state| {
            let name = name.as_str().to_owned();
            counts.rollouts.insert(name, state.counts());
        });
        counts
    })
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
    fastrand::Rng::with_seed(xxh64(&connection, calls::wall_ns()))
}
