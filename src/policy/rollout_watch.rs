//! What to do about one rollout.

use crate::analysis::guard::SlowAfter;
use crate::analysis::ramp_progress::RampProgress;
use crate::policy::action::{Action, GuardState};
use crate::policy::figures::Figures;
use crate::policy::fleet_view::FleetShown;
use crate::policy::judgment::Judgment;
use crate::policy::ramp_watch::{RampEvidence, RampWatch};
use crate::policy::rollout::Rollout;
use crate::policy::shown_stats::ShownStats;
use crate::policy::tick_input::TickInput;
use crate::policy::windows::Windows;

/// Watches one rollout.
#[derive(Debug)]
pub struct RolloutWatch {
    digest: u64,
    /// Whether it has always been judged here.
    is_judged: bool,
    seen: Option<Figures>,
    shown: ShownStats,
    slow_after_set_ms: Option<u64>,
    ramp: RampWatch,
}

// === impl RolloutWatch ===

impl RolloutWatch {
    /// Begins to watch a rollout.
    pub fn new(rollout: &Rollout) -> Self {
        Self {
            digest: rollout.digest(),
            is_judged: true,
            seen: None,
            shown: ShownStats::default(),
            slow_after_set_ms: None,
            ramp: RampWatch::default(),
        }
    }

    /// The digest of the rollout.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// What the stats show of guard and quality gate.
    pub fn shown(&self, digest: u64) -> Option<FleetShown> {
        self.shown.of_guard(digest)
    }

    /// Another VM, whose configuration is over, may have shown something else since.
    pub fn show_again(&mut self) {
        self.shown.forget();
        self.ramp.show_again();
    }

    /// What there is to do. All is looked at where figures have changed or by `is_due`, and the weights of a ramp
    /// each time.
    pub fn tick(
        &mut self,
        rollout: &Rollout,
        input: &TickInput<'_>,
        windows: &mut Windows,
    ) -> Vec<Action> {
        let &TickInput {
            now,
            figures,
            may_have_changed,
            is_due,
            ..
        } = input;
        let mut actions = Vec::new();
        if input.judges && !std::mem::replace(&mut self.is_judged, input.judges) {
            windows.begin_one(rollout, figures, now);
        }
        self.is_judged = input.judges;
        let has_changed = may_have_changed && self.seen.as_ref() != Some(figures);
        if !has_changed && !is_due && rollout.ramp.is_none() {
            return actions;
        }
        let mut status = figures.status;
        if has_changed || is_due {
            if let (None, Some(cause)) = (self.seen.replace(figures.clone()), status.tripped) {
                actions.push(Action::ReportRollback(cause));
            }
            if is_due {
                self.set_slow_after(rollout, input, &mut actions);
            }
            self.judge(rollout, input, windows, &mut actions);
            status.tripped = status
                .tripped
                .or_else(|| actions.iter().find_map(Action::rollback));
        }
        let evidence = RampEvidence::of(rollout, figures);
        self.ramp.tick(
            rollout,
            status,
            evidence,
            now.wall_ms,
            input.judges,
            &mut actions,
        );
        let advance = actions.iter().find_map(Action::advance);
        status.ramp = advance.map(RampProgress::AtStep).or(status.ramp);
        let weights = rollout.weights_at(now.wall_ms, status);
        self.shown.show_weights(weights, &mut actions);
        actions
    }

    /// Follows the stable color's times, but not each change of them: all VMs have to learn it.
    fn set_slow_after(
        &mut self,
        rollout: &Rollout,
        input: &TickInput<'_>,
        actions: &mut Vec<Action>,
    ) {
        const PAUSE_MS: u64 = 10_000;
        let now_ms = input.now.steady_ms;
        let is_early = |set_ms| now_ms.saturating_sub(set_ms) < PAUSE_MS;
        let is_auto = rollout.slow_after() == Some(SlowAfter::Auto);
        if !is_auto || self.slow_after_set_ms.is_some_and(is_early) {
            return;
        }
        let known_ns = input.figures.status.slow_after_ns;
        let is_close = |ns: u64| known_ns.is_some_and(|known| known.abs_diff(ns) <= known / 10);
        let p95_ns = input.watched.and_then(|it| it.latency.p95_ns());
        if let Some(ns) = p95_ns.filter(|&ns| !is_close(ns)) {
            self.slow_after_set_ms = Some(now_ms);
            actions.push(Action::SetSlowAfter(ns));
        }
    }

    fn judge(
        &mut self,
        rollout: &Rollout,
        input: &TickInput<'_>,
        windows: &mut Windows,
        actions: &mut Vec<Action>,
    ) {
        let figures = input.figures;
        self.shown.show_totals(rollout, &figures.totals, actions);
        if !rollout.is_judged() {
            return;
        }
        let elsewhere = input.shown.filter(|shown| shown.digest == self.digest);
        let judgment = Judgment {
            rollout,
            input,
            windows,
            shown: &mut self.shown,
            actions,
        };
        let state = match figures.status.tripped {
            Some(_) => GuardState::Tripped,
            None if input.judges => judgment.judge(),
            None => elsewhere.map_or(GuardState::Inconclusive, |shown| shown.state),
        };
        let sequential = input.watched.and_then(|it| it.sequential.as_ref());
        if let Some(sequential) = sequential {
            let evidence = match elsewhere {
                Some(shown) if !input.judges => shown.evidence,
                _ => sequential.evidence(),
            };
            self.shown.show_evidence(evidence, actions);
        }
        self.shown.show_state(state, actions);
    }
}
