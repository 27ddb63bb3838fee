//! A configuration in force on one worker.

use super::callback_seen::CallbackSeen;
use super::clock;
use super::feedback_request::FeedbackRequest;
use super::fleet_link::FleetLink;
use super::plugin::Plugin;
use super::proxy_wasm::calls::{self, Expression};
use super::rollout_runtime::RolloutRuntime;
use super::suspect_counter::SuspectCounter;
use super::vm;
use super::waiting;
use crate::analysis::stream_end::StreamEnd;
use crate::policy::policy::Policy;
use crate::policy::rollout::Rollout;
use crate::policy::shared_store::HostStatus;
use crate::policy::worker::{Report, Worker};
use log::{error, info};
use std::cell::{Cell, Ref, RefCell};
use std::rc::{Rc, Weak};

/// A valid configuration with what it counts in.
pub struct Active {
    pub policy: Policy,
    pub plugin: Rc<Plugin>,
    runtimes: Vec<RolloutRuntime>,
    worker: RefCell<Worker>,
    is_in_force: Cell<bool>,
    has_been_in_force: Cell<bool>,
    has_trouble: Cell<bool>,
    /// Tells how a stream ended. It belongs to this configuration: Envoy forgets it with its root context.
    pub end_expression: Option<Expression>,
    /// In the profiles that go by it.
    pub suspects: Option<Rc<SuspectCounter>>,
    pub request_bodies: CallbackSeen,
    pub responses: CallbackSeen,
    pub response_trailers: CallbackSeen,
    pub feedback_bodies: CallbackSeen,
    /// Feedback whose body had not begun to come when it was last looked at.
    pub waiting_feedback: RefCell<Vec<Weak<FeedbackRequest>>>,
    /// Where the configuration has a fleet.
    pub fleet: Option<FleetLink>,
}

/// How often rollouts are looked after. Each configuration ticks, so that one which is replaced learns of it.
const TICK_MS: u32 = 200;

// === impl Active ===

impl Active {
    /// Defines metrics, and takes over what is known of the rollouts.
    pub fn put_in_force(policy: Policy, context: u32) -> Result<Self, HostStatus> {
        let plugin = vm::plugin()?;
        let runtime = |rollout: &Rollout| RolloutRuntime::new(&plugin, &policy, rollout);
        let runtimes = policy
            .rollouts
            .iter()
            .map(runtime)
            .collect::<Result<Vec<_>, _>>()?;
        let is_signalled = policy.profile.is_signalled() && SuspectCounter::is_possible();
        let suspects = is_signalled.then(|| plugin.suspects()).transpose()?;
        let fleet = policy.fleet.as_ref();
        let fleet = fleet.map(|settings| FleetLink::new(&plugin, settings, context));
        let fleet = fleet.transpose()?;
        let now = clock::now();
        let (worker, report) = plugin.with_peers(|peers| Worker::new(&policy, peers, now));
        calls::set_tick_period(TICK_MS)?;
        let active = Self {
            is_in_force: Cell::default(),
            has_been_in_force: Cell::default(),
            plugin,
            runtimes,
            suspects,
            policy,
            worker: RefCell::new(worker),
            has_trouble: Cell::default(),
            end_expression: calls::compile(StreamEnd::EXPRESSION),
            request_bodies: CallbackSeen::default(),
            responses: CallbackSeen::default(),
            response_trailers: CallbackSeen::default(),
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

    /// A rollout and its runtime.
    pub fn rollout(&self, index: usize) -> Option<(&Rollout, &RolloutRuntime)> {
        Some((self.policy.rollouts.get(index)?, self.runtimes.get(index)?))
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
            .plugin
            .with_peers(|peers| worker.begin(&self.policy, peers, now));
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
        if let (true, Some(suspects)) = (self.is_in_force.get(), &self.suspects) {
            suspects.learn();
        }
        waiting::count_slow(clock::steady_ns());
        // What the fleet had decided when this was written is in the state that the worker reads next.
        let shared = self.fleet.as_ref().and_then(|fleet| self.shared(fleet));
        let counted = self.plugin.counted();
        let was_in_force = self.is_in_force.get();
        let mut worker = self.worker.borrow_mut();
        let report = self
            .plugin
            .with_peers(|peers| worker.tick(&self.policy, peers, now, counted));
        drop(worker);
        if report.trouble.is_none() && self.worker.borrow().is_in_force() {
            self.plugin.clear_counted();
        }
        let is_well = report.trouble.is_none();
        self.plugin
            .exchange
            .borrow_mut()
            .note(&self.policy, &report.actions);
        self.take_report(report);
        if self.is_in_force.get() && !was_in_force {
            self.come_into_force();
        }
        self.answer_overdue_feedback();
        self.meet_fleet(shared.as_ref(), is_well, now);
    }

    /// The VM's part in looking after the rollouts.
    pub fn worker(&self) -> Ref<'_, Worker> {
        self.worker.borrow()
    }

    fn rollouts(&self) -> impl Iterator<Item = (&Rollout, &RolloutRuntime)> {
        self.policy.rollouts.iter().zip(&self.runtimes)
    }

    /// Learns what has become of the rollouts, and what is counted from now on belongs to.
    fn learn(&self) {
        let worker = self.worker.borrow();
        for (index, (rollout, runtime)) in self.rollouts().enumerate() {
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
            if let Some((rollout, runtime)) = self.rollout(action.rollout) {
                runtime.perform(&self.policy, rollout, action.what);
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
        self.plugin.for_each_rollout(|name, state| {
            let index = self.policy.named(name.as_str());
            state.retire(index.and_then(|index| self.policy.rollouts.get(index)));
        });
        for (rollout, runtime) in self.rollouts() {
            runtime.announce(rollout);
        }
        self.plugin.config_fingerprint.set(self.policy.fingerprint);
        if let (None, Some(shown)) = (&self.fleet, self.plugin.known_fleet_metrics()) {
            shown.show(false, 0);
        }
    }

    fn log(&self, what: &str) {
        info!(
            "{what}: version {}, rollouts {}, fingerprint {}",
            self.policy.version.as_deref().unwrap_or("none"),
            self.policy.rollouts.len(),
            self.policy.fingerprint,
        );
    }
}
