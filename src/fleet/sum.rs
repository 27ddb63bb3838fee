//! The fleet as the elected proxy sees it.

use crate::analysis::ramp_progress::RampProgress;
use crate::fleet::aggregate_document::{AggregateDocument, RampAge};
use crate::fleet::exchange::Exchange;
use crate::fleet::hex::Hex;
use crate::fleet::proxies::Retiring;
use crate::fleet::retired::{self, CountsByRollout};
use crate::fleet::wire_counts::WireCounts;
use crate::policy::figures::Now;
use crate::policy::fleet_counts::FleetCounts;
use crate::policy::fleet_settings::FleetSettings;
use crate::policy::policy::Policy;
use crate::policy::totals::Totals;
use crate::policy::worker::Worker;

// === impl Exchange ===

impl Exchange {
    /// The aggregate to publish, and which proxies are gone.
    pub(super) fn sum_up(
        &self,
        policy: &Policy,
        settings: &FleetSettings,
        worker: &Worker,
        now: Now,
    ) -> (AggregateDocument, Vec<Retiring>) {
        let (now_ms, interval_ms) = (now.steady_ms, settings.interval_ms);
        let mut document = AggregateDocument {
            v: AggregateDocument::VERSION,
            elected: self.local.incarnation,
            name: self.local.name.clone(),
            interval_ms,
            ..AggregateDocument::default()
        };
        if !self.knows_all() {
            // The proxies are read with this call.
            let known = &self.aggregate.document;
            document.proxies = known.proxies.max(1);
            document.rollouts.clone_from(&known.rollouts);
            document.retired.clone_from(&known.retired);
            return (document, Vec::new());
        }
        let live = self.proxies.live(now_ms, interval_ms);
        document.proxies = u64::try_from(live).unwrap_or(0).saturating_add(1);
        let retiring = self.proxies.retiring(now_ms, interval_ms);
        let mut retired = retired::read(&self.aggregate.document.retired);
        for proxy in retiring.iter().filter_map(|it| it.document.as_ref()) {
            retired::retire(&mut retired, proxy);
        }
        retired::drop_ended(&mut retired, |name| {
            let mut all = counted_for(policy, worker, name);
            self.proxies
                .add_counted_for(name, (now_ms, interval_ms), &mut all);
            all
        });
        show(policy, worker, now, &mut document);
        for (name, list) in self.sums(&retired) {
            let counts = list.iter().map(WireCounts::from).collect();
            document.rollouts.entry(name).or_default().counts = counts;
        }
        document.retired = retired::to_wire(&retired);
        (document, retiring)
    }

    /// Whether this proxy is elected and has read the documents of the others.
    pub(super) fn knows_all(&self) -> bool {
        self.aggregate.elects(self.local.incarnation) && self.proxies.range.is_known
    }

    /// What all proxies have counted, this one too.
    fn sums(&self, retired: &CountsByRollout) -> CountsByRollout {
        let mut sums = retired.clone();
        for (name, counts) in self.proxies.counts().chain(self.local.all_published()) {
            counts.add_to_list(sums.entry(name.clone()).or_default());
        }
        sums
    }
}

/// What this proxy counts for in a rollout.
fn counted_for(policy: &Policy, worker: &Worker, name: &str) -> Vec<FleetCounts> {
    let index = policy.named(name);
    let known = index.and_then(|it| policy.rollouts.get(it).zip(worker.identities().get(it)));
    let counts = known.map(|(rollout, it)| FleetCounts::of(rollout, it, Totals::default()));
    counts.into_iter().collect()
}

/// Tells what this proxy shows of its rollouts.
fn show(policy: &Policy, worker: &Worker, now: Now, document: &mut AggregateDocument) {
    let rollouts = policy.rollouts.iter().zip(worker.identities());
    for (index, (rollout, identity)) in rollouts.enumerate() {
        let state = worker.shown(index);
        let ramp = match worker.status(index).ramp {
            Some(RampProgress::AtStep(at)) => Some(RampAge {
                digest: Hex(identity.ramp),
                step: u32::try_from(at.step).unwrap_or(u32::MAX),
                elapsed_ms: now.wall_ms.saturating_sub(at.since_ms),
            }),
            _ => None,
        };
        if state.is_none() && ramp.is_none() {
            continue;
        }
        let name = rollout.name.as_str().to_owned();
        let shown = document.rollouts.entry(name).or_default();
        shown.ramp = ramp;
        if let Some(state) = state {
            shown.show(state);
        }
    }
}
