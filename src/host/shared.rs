//! The ledger that all workers and the main thread share.

use super::proxy_wasm::calls::{self, HostStatus};
use crate::policy::shared_state::SharedState;

/// A copy of the ledger, and Envoy's number of the change that it shows.
#[derive(Debug, Default)]
pub struct Snapshot {
    pub ledger: SharedState,
    change: u32,
}

const KEY: &str = "bluegreen.ledger";

/// So many others may change the ledger in between; each of them does it at most once for each event.
const TRIES: usize = 64;

/// The ledger, where it has changed since `seen`.
pub fn changed_since(seen: u32) -> Result<Option<Snapshot>, HostStatus> {
    let data = calls::shared_data(KEY)?;
    Ok(data
        .filter(|&(_, change)| change != seen)
        .map(|(text, change)| Snapshot {
            ledger: SharedState::parse(&text),
            change,
        }))
}

/// Changes the ledger. `edit` says whether there is something to change; it may be asked several
/// times, where others change the ledger at the same time.
pub fn edit(mut edit: impl FnMut(&mut SharedState) -> bool) -> Result<bool, HostStatus> {
    for _ in 0..TRIES {
        let Snapshot { mut ledger, change } = changed_since(NONE)?.unwrap_or_default();
        if !edit(&mut ledger) {
            return Ok(false);
        }
        if calls::set_shared_data(KEY, ledger.render().as_bytes(), change)? {
            return Ok(true);
        }
    }
    Err(calls::CAS_MISMATCH)
}

/// Begins the ledger where there is none. A change of what is not there can't be held against others'
/// changes, so this is done where there are no others yet: Envoy runs each configuration on its main
/// thread before any worker has it.
pub fn begin() -> Result<(), HostStatus> {
    if calls::shared_data(KEY)?.is_none() {
        calls::set_shared_data(KEY, b"\n", NONE)?;
    }
    Ok(())
}

/// No change has this number.
const NONE: u32 = 0;

// === impl Snapshot ===

impl Snapshot {
    /// The number to give to [`changed_since`] next time.
    pub fn change(&self) -> u32 {
        self.change
    }
}
