//! What one configuration needs to reach its fleet.

use super::fleet_metrics::FleetMetrics;
use super::held_request::HeldRequest;
use super::phase::Phase;
use super::plugin::Plugin;
use super::proxy_wasm::calls;
use super::store::HostStore;
use super::storing_feedback::StoringFeedback;
use super::vm;
use crate::fleet::shared::FleetShared;
use crate::policy::fleet_settings::FleetSettings;
use crate::policy::peers::Peers;
use crate::policy::policy::Policy;
use crate::policy::shared_store::{HostStatus, NO_CHANGE, SharedStore};
use log::error;
use std::cell::{Cell, RefCell};
use std::rc::Weak;
use std::time::Duration;

/// What one configuration needs to reach its fleet.
pub struct FleetLink {
    /// Envoy's number of the root context.
    pub root: u32,
    /// Envoy's `node.id`.
    pub name: String,
    pub password: Option<String>,
    /// Whether requests wait until the fleet has answered.
    holds: Cell<bool>,
    holds_since_ms: Cell<Option<u64>>,
    /// Requests that wait.
    pub held: RefCell<Vec<Weak<HeldRequest<Phase>>>>,
    /// Feedback that waits until it is stored.
    pub storing: RefCell<Vec<Weak<StoringFeedback>>>,
}

/// What is wrong with the cluster of the fleet's store, if anything.
///
/// The first VM that sees the configuration finds out, by a harmless call: this is the throw-away VM on Envoy's main
/// thread. The others go by what it has found, so that they all come to the same result.
pub fn problem_with_cluster(policy: &Policy, root: u32) -> Option<String> {
    const BAD_ARGUMENT: HostStatus = HostStatus(2);
    let settings = policy.fleet.as_ref()?;
    let cluster = settings.cluster.as_str();
    let plugin = vm::plugin().ok()?;
    let is_known = |peers: &mut Peers<HostStore>| {
        let known = peers.store.get(&peers.keys.fleet_cluster).ok().flatten();
        known.is_some_and(|(name, _)| name == cluster.as_bytes())
    };
    if !can_call(root) || plugin.with_peers(is_known) {
        return None;
    }
    let headers = vec![
        (":method", "GET"),
        (":path", "/version"),
        (":authority", cluster),
    ];
    if calls::call(cluster, headers, &[], Duration::from_secs(1)) == Err(BAD_ARGUMENT) {
        return Some(format!(
            "fleet.cluster: \"{}\", must be a cluster of Envoy",
            cluster.escape_debug()
        ));
    }
    let _ = plugin.with_peers(|peers| {
        let key = &peers.keys.fleet_cluster;
        peers.store.set(key, cluster.as_bytes(), NO_CHANGE)
    });
    None
}

/// Whether the answer to a call can be taken: the SDK sets the effective context then, and panics where it may not.
pub fn can_call(root: u32) -> bool {
    calls::set_effective_context(root).is_ok()
}

// === impl FleetLink ===

impl FleetLink {
    /// So long after a VM has begun the configuration alone decides: this and a tick are a second.
    const HOLD_MS: u64 = 800;

    pub fn new(plugin: &Plugin, settings: &FleetSettings, root: u32) -> Result<Self, HostStatus> {
        plugin.fleet_metrics()?;
        let name = calls::property(b"xds\0node\0id").unwrap_or_default();
        let auth = settings.auth.as_ref();
        let password = auth.and_then(|auth| calls::environment_variable(&auth.password_env));
        let can_hold = can_call(root) && calls::continue_request().is_ok();
        if !can_hold {
            error!(
                "fleet: the first requests don't wait for what the fleet has decided: allow \
                 proxy_set_effective_context and proxy_continue_stream"
            );
        }
        let shared = plugin.with_peers(|peers| crate::fleet::exchange::shared(peers));
        let is_answered = shared.is_ok_and(|shared| shared.is_answered);
        Ok(Self {
            root,
            name: String::from_utf8_lossy(&name).into_owned(),
            password,
            holds: Cell::new(can_hold && !is_answered),
            holds_since_ms: Cell::new(None),
            held: RefCell::default(),
            storing: RefCell::default(),
        })
    }

    /// Whether requests wait until the fleet has answered.
    pub fn holds(&self) -> bool {
        self.holds.get()
    }

    /// Whether something waits for what the VMs share of the exchange.
    pub fn waits(&self) -> bool {
        self.holds.get() || !self.storing.borrow().is_empty()
    }

    /// Learns whether the fleet has answered. Requests are not held back for ever.
    pub fn learn(&self, shared: Option<&FleetShared>, now_ms: u64) {
        let since_ms = self.holds_since_ms.get().unwrap_or(now_ms);
        self.holds_since_ms.set(Some(since_ms));
        let is_over = now_ms.saturating_sub(since_ms) >= Self::HOLD_MS;
        if is_over || shared.is_some_and(|shared| shared.is_answered) {
            self.holds.set(false);
        }
    }

    /// Shows how the exchange goes.
    pub fn metrics<'p>(&self, plugin: &'p Plugin) -> Option<&'p FleetMetrics> {
        plugin.known_fleet_metrics()
    }
}
