//! Whether a rollout is to be rolled back, and whether its ramp may go on.

use crate::analysis::confidence_sequence::LimitVerdict;
use crate::analysis::guard::{Analysis, Cause, Guard};
use crate::analysis::incident::IncidentKind;
use crate::analysis::quality::Quality;
use crate::analysis::quality_analysis::QualityAnalysis;
use crate::analysis::sequential_guard::SequentialGuard;
use crate::analysis::shadow::Shadow;
use crate::policy::action::{Action, GuardState};
use crate::policy::rollout::Rollout;
use crate::policy::shown_stats::ShownStats;
use crate::policy::tick_input::TickInput;
use crate::policy::windows::Windows;
use crate::value::percent::Percent;

/// Holds the limits of one rollout against what was counted.
#[derive(Debug)]
pub struct Judgment<'a> {
    /// The rollout.
    pub rollout: &'a Rollout,
    /// What was counted.
    pub input: &'a TickInput<'a>,
    /// The guards' windows.
    pub windows: &'a mut Windows,
    /// What the stats show of the limits.
    pub shown: &'a mut ShownStats,
    /// What there is to do.
    pub actions: &'a mut Vec<Action>,
}

// === impl Judgment ===

impl Judgment<'_> {
    /// Judges by copies, by quality and by the guard, until one of them rolls back.
    pub fn judge(mut self) -> GuardState {
        let rollout = self.rollout;
        let mut state = GuardState::Watching;
        if let Some(shadow) = &rollout.shadow {
            state = self.judge_shadow(shadow);
        }
        if let Some(quality) = &rollout.quality
            && !self.is_retired()
            && state != GuardState::Tripped
        {
            state = self.judge_quality(quality);
        }
        if let Some(guard) = &rollout.guard
            && state != GuardState::Tripped
        {
            state = self.judge_guard(guard);
        }
        state
    }

    fn judge_shadow(&mut self, shadow: &Shadow) -> GuardState {
        let copies = &self.input.figures.totals.shadow;
        let comparison = shadow.comparison.as_ref();
        if let Some(breach) = comparison.and_then(|it| it.breach(copies)) {
            return self.roll_back(Cause::Quality, breach.to_string());
        }
        match shadow.judge(copies) {
            LimitVerdict::Undecided => GuardState::Inconclusive,
            LimitVerdict::Kept | LimitVerdict::Broken => GuardState::Watching,
        }
    }

    fn judge_quality(&mut self, quality: &Quality) -> GuardState {
        let &TickInput { now, figures, .. } = self.input;
        let totals = &figures.totals;
        let verdicts = quality.judge(self.rollout.stable, &totals.outcomes, &totals.scores);
        self.shown.show_verdicts(verdicts.limits, self.actions);
        match verdicts.analysis {
            QualityAnalysis::Inconclusive => GuardState::Inconclusive,
            QualityAnalysis::Passed => {
                if self.rollout.ramp.is_some() && figures.status.promoted_at_ms.is_none() {
                    self.actions.push(Action::Promote(now.wall_ms));
                }
                GuardState::Watching
            }
            QualityAnalysis::Failed(breach) => self.roll_back(Cause::Quality, breach.to_string()),
        }
    }

    fn judge_guard(&mut self, guard: &Guard) -> GuardState {
        let (rollout, input) = (self.rollout, self.input);
        let sequential = input.watched.and_then(|it| it.sequential.as_ref());
        if let Some((kind, bad)) = sequential.and_then(SequentialGuard::finding) {
            return self.roll_back(Cause::sequential(kind), finding(kind, bad));
        }
        let mut counts = input.figures.totals.requests;
        let has_canary = counts.of(rollout.stable.other()).requests > 0;
        if let (true, Some(watched)) = (guard.per_user, input.watched) {
            counts = watched.users.per_user(&counts);
        }
        let windows = &mut *self.windows;
        let counts = windows.slide(rollout, guard.window_ms, input.now, counts);
        match guard.judge(rollout.stable, &counts) {
            Analysis::Inconclusive if sequential.is_some() && has_canary => GuardState::Watching,
            Analysis::Inconclusive => GuardState::Inconclusive,
            Analysis::Passed => GuardState::Watching,
            Analysis::Failed(breach) => self.roll_back(breach.cause, breach.to_string()),
        }
    }

    fn roll_back(&mut self, cause: Cause, reason: String) -> GuardState {
        self.actions.push(Action::RollBack { cause, reason });
        GuardState::Tripped
    }

    /// Whether the canary has nothing to lose: it serves nobody, gets no copies, and no ramp will change that, as with
    /// the old release after a swap of roles.
    fn is_retired(&self) -> bool {
        let (rollout, input) = (self.rollout, self.input);
        let weights = rollout.weights_at(input.now.wall_ms, input.figures.status);
        let gets_none = rollout.ramp.is_none() && rollout.shadow.is_none();
        gets_none && weights.of(rollout.stable.other()) == Percent::ZERO
    }
}

fn finding(kind: IncidentKind, [canary, stable]: [u64; 2]) -> String {
    let (cause, what) = match kind {
        IncidentKind::Failed => (Cause::ErrorsSequential, "failed"),
        IncidentKind::Slow => (Cause::SlowSequential, "were slow"),
    };
    format!(
        "{}: {canary} canary and {stable} stable requests {what}, more of the canary's than chance allows, also \
         without any one user",
        cause.as_str()
    )
}
