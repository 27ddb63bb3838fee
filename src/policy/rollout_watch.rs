//! What to do about one rollout.

use crate::analysis::guard::{Analysis, Cause, Guard};
use crate::analysis::quality::{Outcomes, Quality, QualityAnalysis};
use crate::analysis::ramp_progress::RampProgress;
use crate::analysis::window::Counts;
use crate::policy::action::{GuardState, Todo};
use crate::policy::figures::{Figures, Now};
use crate::policy::policy::Policy;
use crate::policy::ramp_watch::RampWatch;
use crate::policy::rollout::{Rollout, RolloutStatus};
use crate::policy::windows::Windows;
use crate::value::color::PerColor;
use crate::value::percent::{Percent, Weights};

/// Watches one rollout.
#[derive(Debug)]
pub struct RolloutWatch {
    measures: bool,
    seen: Option<Figures>,
    shown_state: Option<GuardState>,
    shown_outcomes: Option<PerColor<Outcomes>>,
    shown_weights: Option<Weights>,
    ramp: RampWatch,
}

// === impl RolloutWatch ===

impl RolloutWatch {
    /// Begins to watch a rollout of this policy.
    pub fn new(policy: &Policy, rollout: &Rollout) -> Self {
        Self {
            measures: policy.measures(rollout),
            seen: None,
            shown_state: None,
            shown_outcomes: None,
            shown_weights: None,
            ramp: RampWatch::default(),
        }
    }

    /// Another VM, whose configuration is over, may have shown something else since.
    pub fn show_again(&mut self) {
        self.shown_state = None;
        self.shown_weights = None;
        self.ramp.show_again();
    }

    /// What there is to do. All is looked at where figures have changed or by `is_due`, and the weights of a ramp
    /// each time.
    pub fn tick(
        &mut self,
        rollout: &Rollout,
        figures: &Figures,
        may_have_changed: bool,
        is_due: bool,
        now: Now,
        windows: &mut Windows,
    ) -> Vec<Todo> {
        let mut todo = Vec::new();
        let has_changed = may_have_changed && self.seen != Some(*figures);
        if !has_changed && !is_due && rollout.ramp.is_none() {
            return todo;
        }
        let mut status = figures.status;
        if has_changed || is_due {
            if let (None, Some(cause)) = (self.seen.replace(*figures), status.tripped) {
                todo.push(Todo::ReportRollback(cause));
            }
            self.judge(rollout, figures, now, windows, &mut todo);
            status.tripped = status
                .tripped
                .or_else(|| todo.iter().find_map(Todo::rollback));
        }
        let canary = figures.requests.of(rollout.stable.other()).requests;
        self.ramp
            .tick(rollout, status, canary, now.wall_ms, &mut todo);
        let advance = todo.iter().find_map(Todo::advance);
        status.ramp = advance.map(RampProgress::AtStep).or(status.ramp);
        let weights = rollout.weights_at(now.wall_ms, status);
        if self.shown_weights.replace(weights) != Some(weights) {
            todo.push(Todo::ShowWeights(weights));
        }
        todo
    }

    fn judge(
        &mut self,
        rollout: &Rollout,
        figures: &Figures,
        now: Now,
        windows: &mut Windows,
        todo: &mut Vec<Todo>,
    ) {
        if self.measures && self.shown_outcomes.replace(figures.outcomes) != Some(figures.outcomes)
        {
            todo.push(Todo::ShowOutcomes(figures.outcomes));
        }
        if rollout.guard.is_none() && rollout.quality.is_none() {
            return;
        }
        let state = match figures.status.tripped {
            Some(_) => GuardState::Tripped,
            None => judge_limits(rollout, figures, now, windows, todo),
        };
        if self.shown_state.replace(state) != Some(state) {
            todo.push(Todo::ShowGuardState(state));
        }
    }
}

fn judge_limits(
    rollout: &Rollout,
    figures: &Figures,
    now: Now,
    windows: &mut Windows,
    todo: &mut Vec<Todo>,
) -> GuardState {
    let mut state = GuardState::Watching;
    if let Some(quality) = &rollout.quality
        && !is_retired(rollout, figures.status, now)
    {
        state = judge_quality(rollout, quality, figures, todo);
    }
    if let Some(guard) = &rollout.guard
        && state != GuardState::Tripped
    {
        let counts = windows.slide(rollout, guard.window_ms, now, figures.requests);
        state = judge_guard(rollout, guard, &counts, todo);
    }
    state
}

fn judge_guard(
    rollout: &Rollout,
    guard: &Guard,
    counts: &PerColor<Counts>,
    todo: &mut Vec<Todo>,
) -> GuardState {
    match guard.judge(rollout.stable, counts) {
        Analysis::Inconclusive => GuardState::Inconclusive,
        Analysis::Passed => GuardState::Watching,
        Analysis::Failed(breach) => roll_back(breach.cause, breach.to_string(), todo),
    }
}

fn judge_quality(
    rollout: &Rollout,
    quality: &Quality,
    figures: &Figures,
    todo: &mut Vec<Todo>,
) -> GuardState {
    match quality.judge(rollout.stable, &figures.outcomes) {
        QualityAnalysis::Inconclusive => GuardState::Inconclusive,
        QualityAnalysis::Passed => {
            if rollout.ramp.is_some() && figures.status.promoted_at_ms.is_none() {
                todo.push(Todo::Promote);
            }
            GuardState::Watching
        }
        QualityAnalysis::Failed(breach) => roll_back(Cause::Quality, breach.to_string(), todo),
    }
}

fn roll_back(cause: Cause, reason: String, todo: &mut Vec<Todo>) -> GuardState {
    todo.push(Todo::RollBack { cause, reason });
    GuardState::Tripped
}

/// Whether the canary has nothing to lose: it serves nobody and no ramp will change that, as with the old
/// release after a swap of roles.
fn is_retired(rollout: &Rollout, status: RolloutStatus, now: Now) -> bool {
    let weights = rollout.weights_at(now.wall_ms, status);
    rollout.ramp.is_none() && weights.of(rollout.stable.other()) == Percent::ZERO
}
