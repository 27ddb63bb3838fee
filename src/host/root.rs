//! One configuration in force on one worker.

use super::calls::{self, Refused};
use super::metrics::ColorMetrics;
use super::stream::Stream;
use super::vm::{self, GeneralMetrics};
use crate::color::{Color, PerColor};
use crate::policy::Policy;
use crate::rollout::Rollout;
use log::{error, info};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use std::rc::Rc;

/// Envoy makes one for each configuration.
#[derive(Default)]
pub struct Root {
    active: Option<Rc<Active>>,
}

/// A valid configuration with the metrics that it counts in.
pub struct Active {
    pub policy: Policy,
    pub general: GeneralMetrics,
    rollouts: Vec<Rc<PerColor<ColorMetrics>>>,
}

// === impl Root ===

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        // Envoy answers NotFound where there is no configuration; that is no valid one either.
        let json = calls::plugin_configuration().unwrap_or_default();
        let policy = match Policy::parse(&json) {
            Ok(policy) => policy,
            Err(error) => {
                error!("config rejected, the one in force stays: {error}");
                return false;
            }
        };
        match Active::new(policy) {
            Ok(active) => {
                active.announce();
                self.active = Some(Rc::new(active));
                true
            }
            Err(status) => {
                error!("config rejected: Envoy refuses to define a metric (status {status})");
                false
            }
        }
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(self.active.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

// === impl Active ===

impl Active {
    fn new(policy: Policy) -> Result<Self, Refused> {
        let metrics = |rollout: &Rollout| vm::rollout_metrics(&rollout.name);
        Ok(Self {
            general: vm::general_metrics()?,
            rollouts: policy
                .rollouts
                .iter()
                .map(metrics)
                .collect::<Result<_, _>>()?,
            policy,
        })
    }

    /// A rollout and its metrics.
    pub fn rollout(&self, index: usize) -> Option<(&Rollout, &Rc<PerColor<ColorMetrics>>)> {
        Some((self.policy.rollouts.get(index)?, self.rollouts.get(index)?))
    }

    fn announce(&self) {
        for (rollout, metrics) in self.policy.rollouts.iter().zip(&self.rollouts) {
            for color in Color::ALL {
                let weight = rollout.weights.of(color).millipercent();
                metrics.of(color).weight_millipercent.set(weight);
            }
        }
        self.general.config_fingerprint.set(self.policy.fingerprint);
        info!(
            "config in force: version {}, rollouts {}, fingerprint {}",
            self.policy.version.as_deref().unwrap_or("none"),
            self.policy.rollouts.len(),
            self.policy.fingerprint,
        );
    }
}
