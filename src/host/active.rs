//! A configuration in force on one worker.

use super::callback_seen::CallbackSeen;
use super::proxy_wasm::calls::{self, Expression, HostStatus};
use super::rollout_runtime::RolloutRuntime;
use super::shared;
use super::suspect_counter::Watch;
use super::vm::{self, GeneralMetrics};
use crate::analysis::stream_end::StreamEnd;
use crate::policy::policy::Policy;
use crate::policy::rollout::Rollout;
use crate::policy::shared_state::SharedState;
use crate::value::name::RolloutName;
use log::{error, info};
use std::cell::Cell;
use std::rc::Rc;

/// A valid configuration with what it counts in.
pub struct Active {
    pub policy: Policy,
    pub general: GeneralMetrics,
    lanes: Vec<RolloutRuntime>,
    seen_change: Cell<u32>,
    ticks: Cell<usize>,
    /// Tells how a stream ended. It belongs to this configuration: Envoy forgets it with its root context.
    pub end_expression: Option<Expression>,
    /// In the profiles that go by it.
    pub signal: Option<Rc<Watch>>,
    pub responses: CallbackSeen,
    pub response_trailers: CallbackSeen,
}

/// How often rollouts are looked after.
const TICK_MS: u32 = 200;

/// A rollout of which this worker has no news is looked after once in so many ticks: another worker
/// may have them, or time alone may change what its stats show.
const TICKS_TO_REFRESH: usize = 10;

// === impl Active ===

impl Active {
    /// Defines metrics, and takes over what is known of the rollouts.
    pub fn put_in_force(policy: Policy) -> Result<Self, HostStatus> {
        let lane = |rollout: &Rollout| RolloutRuntime::new(&policy, rollout);
        let signal = policy.profile.is_signalled().then(vm::signal);
        let active = Self {
            general: vm::general_metrics()?,
            lanes: policy.rollouts.iter().map(lane).collect::<Result<_, _>>()?,
            signal: signal.transpose()?,
            policy,
            responses: CallbackSeen::default(),
            response_trailers: CallbackSeen::default(),
            seen_change: Cell::default(),
            ticks: Cell::default(),
            end_expression: calls::compile(StreamEnd::EXPRESSION),
        };
        if active.signal.is_some() || active.lanes.iter().any(RolloutRuntime::is_watched) {
            calls::set_tick_period(TICK_MS)?;
            shared::begin()?;
        }
        shared::edit(|ledger| active.open(ledger))?;
        active.learn()?;
        vm::for_each_rollout(|name, state| state.retire(active.named(name)));
        active.announce();
        Ok(active)
    }

    /// Opens the ledger for a configuration that comes into force: what was said of other
    /// configurations holds no longer. Says whether there was something to change.
    fn open(&self, ledger: &mut SharedState) -> bool {
        let ended = ledger.end_verdicts(|name| self.policy.named(name).is_none());
        let edits = self
            .rollouts()
            .map(|(rollout, lane)| lane.open(rollout, ledger));
        edits.fold(ended, |changed, edit| changed | edit)
    }

    fn named(&self, name: &RolloutName) -> Option<&Rollout> {
        let index = self.policy.named(name.as_str())?;
        self.policy.rollouts.get(index)
    }

    /// A rollout and its lane.
    pub fn rollout(&self, index: usize) -> Option<(&Rollout, &RolloutRuntime)> {
        Some((self.policy.rollouts.get(index)?, self.lanes.get(index)?))
    }

    /// Looks after all rollouts that go on, or back, by themselves.
    pub fn tick(&self) {
        if let Err(status) = self.learn() {
            error!("what other workers did is not known: Envoy refuses a call (status {status})");
        }
        if let Some(signal) = &self.signal {
            signal.learn();
        }
        let now_ns = calls::now_ns();
        let turn = self.ticks.get() % TICKS_TO_REFRESH;
        self.ticks.set(self.ticks.get().wrapping_add(1));
        for (index, (rollout, lane)) in self.rollouts().enumerate() {
            if lane.is_watched() {
                lane.tick(rollout, now_ns, index % TICKS_TO_REFRESH == turn);
            }
        }
    }

    fn rollouts(&self) -> impl Iterator<Item = (&Rollout, &RolloutRuntime)> {
        self.policy.rollouts.iter().zip(&self.lanes)
    }

    /// Learns what other workers have done since the last time.
    fn learn(&self) -> Result<(), HostStatus> {
        if let Some(snapshot) = shared::changed_since(self.seen_change.get())? {
            self.seen_change.set(snapshot.change());
            for (rollout, lane) in self.rollouts() {
                if let Some(entry) = snapshot.ledger.entry(&rollout.name) {
                    lane.learn(entry);
                }
            }
        }
        Ok(())
    }

    fn announce(&self) {
        let now_ms = calls::now_ns() / 1_000_000;
        for (rollout, lane) in self.rollouts() {
            lane.begin(rollout, now_ms);
            lane.show_weights(rollout, now_ms);
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
