//! The map that all VMs of one Envoy share, and how its documents are changed.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// Shared data of proxy-wasm: values under keys, each with the number of its last change.
pub trait SharedStore {
    /// A value and the number of its last change; `None` where there is none.
    ///
    /// # Errors
    /// Where the host refuses the call.
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostStatus>;

    /// Writes a value unless it has changed since `change`; with 0 in any case. Says whether it did.
    ///
    /// # Errors
    /// Where the host refuses the call.
    fn set(&self, key: &str, value: &[u8], change: u32) -> Result<bool, HostStatus>;
}

/// The status of proxy-wasm that the host answered instead of `Ok`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostStatus(pub u32);

/// No change has this number.
pub const NO_CHANGE: u32 = 0;

/// Every other VM may change a document in between, each once for an event.
const TRIES: usize = 64;

/// Reads a document. What is not one reads as the empty one: nothing is known then.
///
/// # Errors
/// Where the host refuses the call.
pub fn read<T: DeserializeOwned + Default>(
    store: &impl SharedStore,
    key: &str,
) -> Result<(T, u32), HostStatus> {
    Ok(match store.get(key)? {
        Some((json, change)) => (parse(&json), change),
        None => (T::default(), NO_CHANGE),
    })
}

/// Reads a document from its JSON. What is not one reads as the empty one.
pub fn parse<T: DeserializeOwned + Default>(json: &[u8]) -> T {
    serde_json::from_slice(json).unwrap_or_default()
}

/// Changes a document. `change` says whether there is something to change; it is called again where
/// another VM was faster. Says whether the document was changed.
///
/// # Errors
/// Where the host refuses a call, or others were faster 64 times.
pub fn edit<T: DeserializeOwned + Serialize + Default>(
    store: &impl SharedStore,
    key: &str,
    mut change: impl FnMut(&mut T) -> bool,
) -> Result<bool, HostStatus> {
    for _ in 0..TRIES {
        let (mut document, seen) = read::<T>(store, key)?;
        if !change(&mut document) {
            return Ok(false);
        }
        if store.set(key, &to_json(&document), seen)? {
            return Ok(true);
        }
    }
    Err(HostStatus::CAS_MISMATCH)
}

/// The JSON of a document, whose maps have strings as keys and so can always be written.
pub fn to_json(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).unwrap_or_default()
}

/// Creates an empty document where there is none. To create one is no change that could be held against
/// others, so this is done where there are no others yet: Envoy runs each configuration on its main thread
/// before any worker has it.
///
/// # Errors
/// Where the host refuses a call.
pub fn create(store: &impl SharedStore, key: &str) -> Result<(), HostStatus> {
    if store.get(key)?.is_none() {
        store.set(key, b"{}", NO_CHANGE)?;
    }
    Ok(())
}

// === impl HostStatus ===

impl HostStatus {
    /// Another VM changed the value first.
    pub const CAS_MISMATCH: Self = Self(8);
}

impl fmt::Display for HostStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envoy refuses a call (status {})", self.0)
    }
}
