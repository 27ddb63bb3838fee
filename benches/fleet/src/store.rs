//! What the VMs of one Envoy share, here those of one proxy.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use bluegreen::{HostStatus, SharedStore};

/// A map with the number of each value's last change.
#[derive(Debug, Default)]
pub struct Map {
    values: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    changes: Cell<u32>,
}

impl SharedStore for Map {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostStatus> {
        Ok(self.values.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, value: &[u8], change: u32) -> Result<bool, HostStatus> {
        let mut values = self.values.borrow_mut();
        let is_other = |(_, seen): &(Vec<u8>, u32)| change != 0 && *seen != change;
        if values.get(key).is_some_and(is_other) {
            return Ok(false);
        }
        self.changes.set(self.changes.get() + 1);
        values.insert(key.to_owned(), (value.to_vec(), self.changes.get()));
        Ok(true)
    }
}
