//! What one VM has decided and the others have to know.

use crate::policy::action::RolloutAction;
use crate::policy::peers::Peers;
use crate::policy::policy::Policy;
use crate::policy::rollout_identity::RolloutIdentity;
use crate::policy::shared_state::SharedState;
use crate::policy::shared_store::{HostStatus, SharedStore, edit};

/// What one VM has decided and the others do not know yet.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Rollbacks, promotions and steps of ramps.
    unwritten: Vec<RolloutAction>,
    /// Whether this VM has changed the state without having said so by its revision.
    is_unannounced: bool,
}

/// What came of writing.
#[derive(Debug, Default)]
pub struct Written {
    /// What all VMs can know of now.
    pub actions: Vec<RolloutAction>,
    /// Whether another VM had written something else, which this one has to learn.
    pub is_overtaken: bool,
}

// === impl Outbox ===

impl Outbox {
    /// Takes an action whose fact is to be written.
    pub fn push(&mut self, action: RolloutAction) {
        self.unwritten.push(action);
    }

    /// Changes the state, which is to be announced then.
    ///
    /// # Errors
    /// Where the host refuses a call.
    pub fn edit<S: SharedStore>(
        &mut self,
        peers: &Peers<S>,
        change: impl FnMut(&mut SharedState) -> bool,
    ) -> Result<(), HostStatus> {
        self.is_unannounced |= edit(&peers.store, &peers.keys.state, change)?;
        Ok(())
    }

    /// Writes what the others do not know.
    ///
    /// # Errors
    /// Where the host refuses a call; it is tried again at the next time.
    pub fn write<S: SharedStore>(
        &mut self,
        policy: &Policy,
        identities: &[RolloutIdentity],
        peers: &Peers<S>,
    ) -> Result<Written, HostStatus> {
        if self.unwritten.is_empty() {
            return Ok(Written::default());
        }
        let unwritten = std::mem::take(&mut self.unwritten);
        let mut is_new = Vec::new();
        let edited = self.edit(peers, |state| {
            is_new.clear();
            is_new.extend(unwritten.iter().map(|action| {
                let rollout = policy.rollouts.get(action.rollout);
                let known = rollout.zip(identities.get(action.rollout));
                let known = known.zip(action.action.fact());
                known.is_some_and(|((rollout, identity), fact)| {
                    state.add(&rollout.name, identity, fact)
                })
            }));
            is_new.contains(&true)
        });
        if let Err(status) = edited {
            self.unwritten = unwritten;
            return Err(status);
        }
        let is_overtaken = is_new.contains(&false);
        let written = unwritten.into_iter().zip(is_new);
        let written = written.filter(|&(_, is_new)| is_new);
        Ok(Written {
            actions: written.map(|(action, _)| action).collect(),
            is_overtaken,
        })
    }

    /// Gives the state another revision where it was changed, so that all VMs read it.
    ///
    /// # Errors
    /// Where the host refuses a call.
    pub fn announce<S: SharedStore>(&mut self, peers: &Peers<S>) -> Result<(), HostStatus> {
        if self.is_unannounced {
            peers.announce()?;
            self.is_unannounced = false;
        }
        Ok(())
    }
}
