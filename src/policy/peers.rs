//! What one VM and the others of its Envoy have in common.

use crate::policy::figures::Now;
use crate::policy::fleet_view::FleetView;
use crate::policy::knowledge::Knowledge;
use crate::policy::member::Member;
use crate::policy::policy::Policy;
use crate::policy::proxy_counts::ProxyCounts;
use crate::policy::sequential_guards::SequentialGuards;
use crate::policy::shared_keys::SharedKeys;
use crate::policy::shared_store::{HostStatus, NO_CHANGE, SharedStore};
use crate::policy::windows::Windows;

/// What one VM and the others of its Envoy have in common.
#[derive(Debug)]
pub struct Peers<S> {
    /// What the VMs share.
    pub store: S,
    /// Under which keys.
    pub keys: SharedKeys,
    /// This VM's place among them.
    pub member: Member,
    /// What all of them counted; kept up to date where this VM leads.
    pub counts: ProxyCounts,
    /// The guards' windows over it.
    pub windows: Windows,
    /// What is known of single requests.
    pub sequential: SequentialGuards,
    /// What is known of other proxies, where this VM leads.
    pub fleet: FleetView,
}

// === impl Peers ===

impl<S> Peers<S> {
    /// Those of a VM that has not taken part yet.
    pub fn new(store: S, keys: SharedKeys) -> Self {
        Self {
            store,
            keys,
            member: Member::default(),
            counts: ProxyCounts::default(),
            windows: Windows::default(),
            sequential: SequentialGuards::default(),
            fleet: FleetView::default(),
        }
    }

    /// Begins the windows and what is known of single requests, where they are not about the same as before.
    pub fn watch(&mut self, policy: &Policy, known: &Knowledge, now: Now) {
        let Knowledge {
            identities,
            epochs,
            figures,
            ..
        } = known;
        self.windows.begin(policy, identities, epochs, figures, now);
        self.sequential.begin(policy, epochs, now);
    }
}

impl<S: SharedStore> Peers<S> {
    /// Differs after each change of the state.
    ///
    /// # Errors
    /// Where the host refuses the call.
    pub fn revision(&self) -> Result<u32, HostStatus> {
        let revision = self.store.get(&self.keys.revision)?;
        Ok(revision.map_or(NO_CHANGE, |(_, change)| change))
    }

    /// Gives the state another revision, so that all VMs read it.
    ///
    /// # Errors
    /// Where the host refuses the call.
    pub fn announce(&self) -> Result<(), HostStatus> {
        let key = &self.keys.revision;
        self.store.set(key, b"{}", NO_CHANGE).map(drop)
    }
}
