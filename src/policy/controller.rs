//! What to do about the rollouts of one configuration: figures and clock in, actions out.

use crate::policy::action::RolloutAction;
use crate::policy::figures::{Figures, Now};
use crate::policy::fleet_view::{FleetShown, FleetView};
use crate::policy::policy::Policy;
use crate::policy::rollout_watch::RolloutWatch;
use crate::policy::sequential_guards::SequentialGuards;
use crate::policy::tick_input::TickInput;
use crate::policy::windows::Windows;

/// Watches all rollouts of one configuration.
#[derive(Debug)]
pub struct Controller {
    watches: Vec<RolloutWatch>,
    ticks: usize,
}

/// What is known on one tick.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The figures of each rollout, in the order of the configuration.
    pub figures: &'a [Figures],
    /// Whether any of them may have changed.
    pub has_changed: bool,
    /// The time.
    pub now: Now,
    /// Of single requests.
    pub sequential: &'a SequentialGuards,
    /// Of the other proxies.
    pub fleet: &'a FleetView,
}

// === impl Controller ===

impl Controller {
    /// A rollout whose figures stay the same is looked at every so many ticks, since time alone may change
    /// what its stats show.
    pub const TICKS_TO_REFRESH: usize = 10;

    /// A controller for a configuration that comes into force.
    pub fn new(policy: &Policy) -> Self {
        Self {
            watches: policy.rollouts.iter().map(RolloutWatch::new).collect(),
            ticks: 0,
        }
    }

    /// Shows all anew on the next tick.
    pub fn show_again(&mut self) {
        self.watches.iter_mut().for_each(RolloutWatch::show_again);
    }

    /// What the stats show of guard and quality gate of the rollout of this index.
    pub fn shown(&self, index: usize, digest: u64) -> Option<FleetShown> {
        self.watches.get(index)?.shown(digest)
    }

    /// Looks after all rollouts.
    pub fn tick(
        &mut self,
        policy: &Policy,
        known: &Known<'_>,
        windows: &mut Windows,
    ) -> Vec<RolloutAction> {
        let &Known {
            figures,
            has_changed,
            now,
            sequential,
            fleet,
        } = known;
        let turn = self.ticks % Self::TICKS_TO_REFRESH;
        self.ticks = self.ticks.wrapping_add(1);
        let mut actions = Vec::new();
        let rollouts = policy.rollouts.iter().zip(figures).zip(&mut self.watches);
        for (index, ((rollout, figures), watch)) in rollouts.enumerate() {
            let is_due = index % Self::TICKS_TO_REFRESH == turn;
            let input = TickInput {
                now,
                figures,
                may_have_changed: has_changed,
                is_due,
                watched: sequential.of(&rollout.name),
                judges: policy.fleet.is_none() || fleet.judges(&rollout.name, watch.digest()),
                shown: fleet.shown.get(rollout.name.as_str()),
            };
            let due = watch.tick(rollout, &input, windows);
            actions.extend(due.into_iter().map(|action| RolloutAction {
                rollout: index,
                action,
            }));
        }
        actions
    }
}
