//! A configuration in force on one worker.

use super::callback_seen::CallbackSeen;
use super::clock;
use super::feedback_request::FeedbackRequest;
use super::fleet_link::FleetLink;
use super::phase::Phase;
use super::proxy_wasm::calls;
use super::serving::Serving;
use super::vm;
use super::waiting;
use crate::policy::policy::Policy;
use crate::policy::seen_ids::prepare;
use crate::policy::shared_store::HostStatus;
use crate::policy::worker::{Report, Worker};
use crate::value::color::Color;
use log::{error, info};
use std::cell::{Cell, OnceCell, Ref, RefCell};
use std::rc::Weak;

/// A configuration, and how this worker looks after its rollouts.
pub struct Active {
    pub serving: Serving,
    worker: RefCell<Worker>,
    is_in_force: Cell<bool>,
    has_been_in_force: Cell<bool>,
    has_trouble: Cell<bool>,
    pub feedback_bodies: CallbackSeen,
    /// Feedback whose body had not begun to come when it was last looked at.
    pub waiting_feedback: RefCell<Vec<Weak<FeedbackRequest<Phase>>>>,
    /// Where the configuration has a fleet.
    pub fleet: Option<FleetLink>,
}

/// How often rollouts are looked after. Each configuration ticks, so that one which is replaced learns of it.
const TICK_MS: u32 = 200;

// === impl Active ===

impl Active {
    /// Defines metrics, and takes over what is known of the rollouts.
    pub fn put_in_force(policy: Policy, context: u32) -> Result<Self, HostStatus> {
        let serving = Serving::new(policy, vm::plugin()?)?;
        let Serving { policy, plugin, .. } = &serving;
        let fleet = policy.fleet.as_ref();
        let fleet = fleet.map(|settings| FleetLink::new(plugin, settings, context));
        let fleet = fleet.transpose()?;
        let now = clock::now();
        let (worker, report) = plugin.with_peers(|peers| Worker::new(policy, peers, now));
        if policy.feedback.is_some() {
            // Without it, retries that come at the same time as the first feedback may count.
            let _ = plugin.with_peers(|peers| prepare(&peers.store, &peers.keys));
        }
        calls::set_tick_period(TICK_MS)?;
        let active = Self {
            serving,
            worker: RefCell::new(worker),
            is_in_force: Cell::default(),
            has_been_in_force: Cell::default(),
            has_trouble: Cell::default(),
            feedback_bodies: CallbackSeen::default(),
            waiting_feedback: RefCell::default(),
            fleet,
        };
        active.learn();
        active.take_report(report);
        active.announce();
        active.log("config in force");
        Ok(active)
    }

    /// The configuration serves a request, so it is in force. Envoy takes a configuration that still has streams
    /// up again without configuring it anew, when it is pushed after another one.
    pub fn use_for_stream(&self) {
        if self.is_in_force.get() {
            return;
        }
        let now = clock::now();
        let mut worker = self.worker.borrow_mut();
        let report = self
            .serving
            .plugin
            .with_peers(|peers| worker.begin(&self.serving.policy, peers, now));
        drop(worker);
        self.take_report(report);
        self.come_into_force();
    }

    fn come_into_force(&self) {
        if self.has_been_in_force.replace(true) {
            self.log("config in force again");
        }
    }

    /// Looks after all rollouts. Envoy keeps a configuration that is in force no longer ticking while it has
    /// streams: there is nothing to look after then.
    pub fn tick(&self) {
        let now = clock::now();
        if let (true, Some(suspects)) = (self.is_in_force.get(), &self.serving.suspects) {
            suspects.learn();
        }
        waiting::count_slow(clock::steady_ns());
        self.show_chunks();
        // What the fleet had decided when this was written is in the state that the worker reads next.
        let shared = self.fleet.as_ref().and_then(|fleet| self.shared(fleet));
        let counted = self.serving.plugin.counted();
        let was_in_force = self.is_in_force.get();
        let mut worker = self.worker.borrow_mut();
        let report = self
            .serving
            .plugin
            .with_peers(|peers| worker.tick(&self.serving.policy, peers, now, counted));
        drop(worker);
        if report.trouble.is_none() && self.worker.borrow().is_in_force() {
            self.serving.plugin.clear_counted();
        }
        let is_well = report.trouble.is_none();
        self.serving
            .plugin
            .exchange
            .borrow_mut()
            .note(&self.serving.policy, &report.actions);
        self.take_report(report);
        if self.is_in_force.get() && !was_in_force {
            self.come_into_force();
        }
        self.answer_overdue_feedback();
        self.exchange_with_fleet(shared.as_ref(), is_well, now);
    }

    /// The VM's part in looking after the rollouts.
    pub fn worker(&self) -> Ref<'_, Worker> {
        self.worker.borrow()
    }

    /// Shows the pieces of streams that have come since the last tick.
    fn show_chunks(&self) {
        let streamed = self
            .serving
            .rollouts()
            .filter(|(it, _)| it.stream.is_some());
        for state in streamed.map(|(_, runtime)| &runtime.state) {
            let all = [&state.chunks, &state.shadow_chunks];
            for chunks in all.into_iter().filter_map(OnceCell::get) {
                for color in Color::ALL {
                    chunks.of(color).show();
                }
            }
        }
    }

    /// Learns what has become of the rollouts, and what is counted from now on belongs to.
    fn learn(&self) {
        let worker = self.worker.borrow();
        for (index, (rollout, runtime)) in self.serving.rollouts().enumerate() {
            runtime.learn(rollout, worker.status(index), worker.epoch(index));
        }
    }

    fn take_report(&self, report: Report) {
        self.is_in_force.set(self.worker.borrow().is_in_force());
        if report.has_learned && self.is_in_force.get() {
            self.learn();
            self.announce();
        }
        for action in report.actions {
            if let Some((rollout, runtime)) = self.serving.rollout(action.rollout) {
                runtime.perform(&self.serving.policy, rollout, action.action);
            }
        }
        self.log_trouble(report.trouble);
    }

    fn log_trouble(&self, trouble: Option<HostStatus>) {
        match trouble {
            Some(status) if !self.has_trouble.replace(true) => error!(
                "guards, ramps and quality gates wait, and rollbacks of other workers are not known: {status}; \
                 are proxy_get_shared_data and proxy_set_shared_data allowed?"
            ),
            None if self.has_trouble.replace(false) => {
                info!("guards, ramps and quality gates go on: Envoy takes the calls again");
            }
            _ => {}
        }
    }

    /// Shows what holds with this configuration, and no longer what held with others.
    fn announce(&self) {
        self.serving.plugin.for_each_rollout(|name, state| {
            let index = self.serving.policy.named(name.as_str());
            state.retire(index.and_then(|index| self.serving.policy.rollouts.get(index)));
        });
        for (rollout, runtime) in self.serving.rollouts() {
            runtime.announce(rollout);
        }
        self.serving
            .plugin
            .config_fingerprint
            .set(self.serving.policy.fingerprint);
        if let (None, Some(shown)) = (&self.fleet, self.serving.plugin.known_fleet_metrics()) {
            shown.show(false, 0);
        }
    }

    fn log(&self, what: &str) {
        info!(
            "{what}: version {}, rollouts {}, fingerprint {}",
            self.serving.policy.version.as_deref().unwrap_or("none"),
            self.serving.policy.rollouts.len(),
            self.serving.policy.fingerprint,
        );
    }
}
