//! The guards' windows, which outlast pushes that leave their rollouts as they are.

use crate::analysis::window::{Counts, Window};
use crate::policy::figures::{Figures, Now};
use crate::policy::policy::Policy;
use crate::policy::rollout::Rollout;
use crate::policy::rollout_counts::Epoch;
use crate::policy::rollout_identity::RolloutIdentity;
use crate::value::color::PerColor;
use crate::value::name::RolloutName;
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// One window for each rollout with a guard.
#[derive(Debug, Default)]
pub struct Windows(HashMap<RolloutName, (WindowKey, Window), Xxh64Builder>);

/// What a window belongs to: the digest of a rollout's configuration, and what its requests count for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct WindowKey {
    digest: u64,
    generation: u64,
}

// === impl Windows ===

impl Windows {
    /// Begins new windows now where rollouts have changed, and ends those of others.
    pub fn begin(
        &mut self,
        policy: &Policy,
        identities: &[RolloutIdentity],
        epochs: &[Epoch],
        figures: &[Figures],
        now: Now,
    ) {
        let mut before = std::mem::take(&mut self.0);
        let keys = identities.iter().zip(epochs);
        let keys = keys.map(|(identity, epoch)| WindowKey {
            digest: identity.digest,
            generation: epoch.generation,
        });
        for ((rollout, key), figures) in policy.rollouts.iter().zip(keys).zip(figures) {
            let Some(guard) = &rollout.guard else {
                continue;
            };
            let same = before.remove(&rollout.name);
            let window = match same.filter(|(other, _)| *other == key) {
                Some((_, window)) => window,
                None => Window::starting(guard.window_ms, now.steady_ms, figures.totals.requests),
            };
            self.0.insert(rollout.name.clone(), (key, window));
        }
    }

    /// Begins all windows anew with what is counted so far.
    pub fn begin_anew(&mut self, policy: &Policy, figures: &[Figures], now: Now) {
        for (rollout, figures) in policy.rollouts.iter().zip(figures) {
            self.begin_one(rollout, figures, now);
        }
    }

    /// Begins the window of one rollout anew with what is counted so far.
    pub fn begin_one(&mut self, rollout: &Rollout, figures: &Figures, now: Now) {
        if let (Some(guard), Some((_, window))) = (&rollout.guard, self.0.get_mut(&rollout.name)) {
            *window = Window::starting(guard.window_ms, now.steady_ms, figures.totals.requests);
        }
    }

    /// Takes counts into account that were not counted within a rollout's window.
    pub fn add_before(&mut self, rollout: &Rollout, late: PerColor<Counts>) {
        if let Some((_, window)) = self.0.get_mut(&rollout.name) {
            window.add_before(late);
        }
    }

    /// Forgets windows through which nobody has looked for longer than they are.
    pub fn drop_stale(&mut self, policy: &Policy, now: Now) {
        for rollout in &policy.rollouts {
            if let (Some(guard), Some((_, window))) =
                (&rollout.guard, self.0.get_mut(&rollout.name))
            {
                window.drop_stale(guard.window_ms, now.steady_ms);
            }
        }
    }

    /// Slides a rollout's window on to the counts so far, and gives those within it.
    pub fn slide(
        &mut self,
        rollout: &Rollout,
        window_ms: u64,
        now: Now,
        totals: PerColor<Counts>,
    ) -> PerColor<Counts> {
        let window = self.0.get_mut(&rollout.name);
        window.map_or_else(PerColor::default, |(_, window)| {
            window.slide(window_ms, now.steady_ms, totals)
        })
    }
}
