//! What lives as long as the VM. Envoy runs all plugins of one `vm_id` and one code in the same VM.

use super::plugin::Plugin;
use super::proxy_wasm::calls;
use crate::policy::shared_keys::SharedKeys;
use crate::policy::shared_store::HostStatus;
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use xxhash_rust::xxh64::xxh64;

thread_local! {
    static VM: Vm = Vm::default();
}

#[derive(Default)]
struct Vm {
    plugins: RefCell<Vec<Rc<Plugin>>>,
    rng: OnceCell<RefCell<fastrand::Rng>>,
}

/// The plugin of the root context at hand, by its name and root id.
pub fn plugin() -> Result<Rc<Plugin>, HostStatus> {
    let property = |name: &[u8]| calls::property(name).unwrap_or_default();
    let keys = SharedKeys::of(&property(b"plugin_name"), &property(b"plugin_root_id"));
    VM.with(|vm| {
        let mut plugins = vm.plugins.borrow_mut();
        if let Some(plugin) = plugins.iter().find(|plugin| plugin.keys == keys) {
            return Ok(Rc::clone(plugin));
        }
        let plugin = Rc::new(Plugin::define(keys)?);
        plugins.push(Rc::clone(&plugin));
        Ok(plugin)
    })
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
