//! One configuration on one worker, as Envoy sees it.

use super::calls;
use super::stream::Stream;
use crate::host::active::Active;
use crate::host::fleet_link;
use crate::policy::policy::Policy;
use ::proxy_wasm::traits::{Context, HttpContext, RootContext};
use ::proxy_wasm::types::ContextType;
use log::error;
use std::rc::Rc;

/// Envoy makes one for each configuration.
pub struct Root {
    id: u32,
    active: Option<Rc<Active>>,
}

// === impl Root ===

impl Root {
    pub const fn new(id: u32) -> Self {
        Self { id, active: None }
    }
}

impl Context for Root {
    fn on_http_call_response(
        &mut self,
        token: u32,
        _headers: usize,
        _body: usize,
        _trailers: usize,
    ) {
        if let Some(active) = &self.active {
            active.receive_call(token);
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        // Envoy answers NotFound where there is no configuration; that is no valid one either.
        let json = calls::plugin_configuration().unwrap_or_default();
        let policy = match Policy::parse(&json) {
            Ok(policy) => policy,
            Err(errors) => {
                for line in &errors {
                    error!("config rejected, the one in force stays: {line}");
                }
                return false;
            }
        };
        if let Some(problem) = fleet_link::problem_with_cluster(&policy, self.id) {
            error!("config rejected, the one in force stays: {problem}");
            return false;
        }
        match Active::put_in_force(policy, self.id) {
            Ok(active) => {
                self.active = Some(Rc::new(active));
                true
            }
            Err(status) => {
                error!("config rejected: {status}; are all capabilities allowed?");
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(active) = &self.active {
            active.tick();
        }
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        if let Some(active) = &self.active {
            active.use_for_stream();
        }
        Some(Box::new(Stream::new(id, self.active.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
