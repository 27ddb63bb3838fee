//! What the leader knows of single requests: the sequential guards, the users of the guards' windows, and how long
//! responses take. It outlasts pushes that leave what it is about as it is.

use crate::analysis::guard::Guard;
use crate::analysis::latency::RecentLatency;
use crate::analysis::sequential_guard::SequentialGuard;
use crate::analysis::user_window::UserWindow;
use crate::policy::figures::Now;
use crate::policy::policy::Policy;
use crate::policy::recent::RecentDelta;
use crate::policy::rollout::RolloutStatus;
use crate::policy::rollout_counts::Epoch;
use crate::value::color::Color;
use crate::value::name::RolloutName;
use crate::value::percent::Percent;
use std::collections::HashMap;
use xxhash_rust::xxh64::Xxh64Builder;

/// One for each rollout whose guard goes by single requests.
#[derive(Debug, Default)]
pub struct SequentialGuards(HashMap<RolloutName, Watched, Xxh64Builder>);

/// What is known of the single requests of one rollout.
#[derive(Debug)]
pub struct Watched {
    key: Key,
    /// Where the guard has one.
    pub sequential: Option<SequentialGuard>,
    /// The users whose requests went wrong.
    pub users: UserWindow,
    /// How long the stable color's responses took.
    pub latency: RecentLatency,
    /// The canary's share of the requests that are judged.
    share: Option<Percent>,
}

/// What all this belongs to.
#[derive(Clone, Debug, PartialEq)]
struct Key {
    generation: u64,
    stable: Color,
    guard: Guard,
}

// === impl SequentialGuards ===

impl SequentialGuards {
    /// Begins anew where guards have changed, and ends those of others.
    pub fn begin(&mut self, policy: &Policy, epochs: &[Epoch], now: Now) {
        let mut before = std::mem::take(&mut self.0);
        for (rollout, epoch) in policy.rollouts.iter().zip(epochs) {
            let Some(guard) = rollout.guard.as_ref().filter(|it| it.needs_incidents()) else {
                continue;
            };
            let key = Key {
                generation: epoch.generation,
                stable: rollout.stable,
                guard: guard.clone(),
            };
            let same = before.remove(&rollout.name).filter(|it| it.key == key);
            let watched = same.unwrap_or_else(|| Watched::new(key, now));
            self.0.insert(rollout.name.clone(), watched);
        }
    }

    /// Begins all anew, without evidence.
    pub fn begin_anew(&mut self, policy: &Policy, epochs: &[Epoch], now: Now) {
        self.0.clear();
        self.begin(policy, epochs, now);
    }

    /// Learns what is new on one VM.
    pub fn learn(
        &mut self,
        policy: &Policy,
        statuses: &[RolloutStatus],
        recent: &[(String, RecentDelta)],
        now: Now,
    ) {
        for (name, delta) in recent {
            let index = policy.named(name);
            let known = index.and_then(|it| policy.rollouts.get(it).zip(statuses.get(it)));
            if let (Some((rollout, status)), Some(watched)) = (known, self.0.get_mut(name.as_str()))
            {
                let weights = rollout.weights_at(now.wall_ms, *status);
                watched.learn(delta, rollout.canary_share(weights), now);
            }
        }
    }

    /// What is known of a rollout, where its guard goes by single requests.
    pub fn of(&self, name: &RolloutName) -> Option<&Watched> {
        self.0.get(name)
    }
}

// === impl Watched ===

impl Watched {
    fn new(key: Key, now: Now) -> Self {
        let sequential = key.guard.sequential.as_ref();
        let compares_slow = key.guard.compares_slow();
        let sequential =
            sequential.map(|it| SequentialGuard::new(it, key.stable, compares_slow, now.steady_ms));
        Self {
            key,
            sequential,
            users: UserWindow::default(),
            latency: RecentLatency::default(),
            share: None,
        }
    }

    fn learn(&mut self, delta: &RecentDelta, share: Percent, now: Now) {
        if delta.generation != self.key.generation {
            return;
        }
        self.latency.add(now.steady_ms, &delta.latencies);
        if self.key.guard.per_user {
            let window_ms = self.key.guard.window_ms;
            self.users
                .observe(window_ms, now.steady_ms, &delta.incidents);
        }
        if let Some(sequential) = &mut self.sequential {
            if self.share.replace(share) != Some(share) {
                sequential.begin_weights(now.steady_ms / 1_000, share);
            }
            for &(second, color, count) in &delta.starts {
                sequential.add_starts(second, color, count);
            }
            sequential.observe(now.steady_ms, &delta.incidents);
        }
    }
}
