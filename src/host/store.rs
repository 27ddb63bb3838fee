//! The map that Envoy keeps for all VMs of one `vm_id`.

use super::proxy_wasm::calls;
use crate::policy::shared_store::{HostStatus, SharedStore};

/// Envoy's shared data.
#[derive(Debug)]
pub struct HostStore;

impl SharedStore for HostStore {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostStatus> {
        calls::shared_data(key)
    }

    fn set(&self, key: &str, value: &[u8], change: u32) -> Result<bool, HostStatus> {
        calls::set_shared_data(key, value, change)
    }
}
