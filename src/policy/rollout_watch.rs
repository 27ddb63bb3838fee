//! What to do about one rollout.

use crate::analysis::confidence_sequence::LimitVerdict;
use crate::analysis::guard::{Analysis, Cause, Guard, SlowAfter};
use crate::analysis::incident::IncidentKind;
use crate::analysis::quality::{Outcomes, Quality};
use crate::analysis::quality_analysis::QualityAnalysis;
use crate::analysis::ramp_progress::RampProgress;
use crate::analysis::score_sum::ScoreSums;
use crate::analysis::sequential_guard::{Evidence, SequentialGuard};
use crate::analysis::shadow::Shadow;
use crate::analysis::shadow_counts::ShadowCounts;
use crate::policy::action::{GuardState, Todo};
use crate::policy::figures::{Figures, Now};
use crate::policy::fleet_view::FleetShown;
use crate::policy::ramp_watch::{RampEvidence, RampWatch};
use crate::policy::rollout::{Rollout, RolloutStatus};
use crate::policy::sequential_guards::Watched;
use crate::policy::windows::Windows;
use crate::value::color::PerColor;
use crate::value::percent::{Percent, Weights};

/// Watches one rollout.
#[derive(Debug)]
pub struct RolloutWatch {
    measures: bool,
    digest: u64,
    /// Whether it has always been judged here.
    is_judged: bool,
    seen: Option<Figures>,
    shown_state: Option<GuardState>,
    shown_evidence: Option<Evidence>,
    shown_outcomes: Option<PerColor<Outcomes>>,
    shown_shadow: Option<ShadowCounts>,
    shown_scores: Option<PerColor<ScoreSums>>,
    shown_verdicts: Option<Vec<LimitVerdict>>,
    shown_weights: Option<Weights>,
    slow_after_set_ms: Option<u64>,
    ramp: RampWatch,
}

/// What there is to look at on one tick.
#[derive(Debug)]
pub struct TickInput<'a> {
    /// The time.
    pub now: Now,
    /// The rollout's figures.
    pub figures: &'a Figures,
    /// Whether they may have changed.
    pub may_have_changed: bool,
    /// Whether to look at all in any case.
    pub is_due: bool,
    /// What is known of single requests.
    pub watched: Option<&'a Watched>,
    /// Whether this proxy judges, and not another one of its fleet.
    pub judges: bool,
    /// What the other one shows.
    pub shown: Option<&'a FleetShown>,
}

// === impl RolloutWatch ===

impl RolloutWatch {
    /// Begins to watch a rollout.
    pub fn new(rollout: &Rollout) -> Self {
        Self {
            measures: rollout.measures(),
            digest: rollout.digest(),
            is_judged: true,
            seen: None,
            shown_state: None,
            shown_evidence: None,
            shown_outcomes: None,
            shown_shadow: None,
            shown_scores: None,
            shown_verdicts: None,
            shown_weights: None,
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
        Some(FleetShown {
            digest,
            state: self.shown_state?,
            evidence: self.shown_evidence.unwrap_or_default(),
        })
    }

    /// Another VM, whose configuration is over, may have shown something else since.
    pub fn show_again(&mut self) {
        self.shown_state = None;
        self.shown_evidence = None;
        self.shown_verdicts = None;
        self.shown_weights = None;
        self.ramp.show_again();
    }

    /// What there is to do. All is looked at where figures have changed or by `is_due`, and the weights of a ramp
    /// each time.
    pub fn tick(
        &mut self,
        rollout: &Rollout,
        input: &TickInput<'_>,
        windows: &mut Windows,
    ) -> Vec<Todo> {
        let &TickInput {
            now,
            figures,
            may_have_changed,
            is_due,
            ..
        } = input;
        let mut todo = Vec::new();
        if input.judges && !std::mem::replace(&mut self.is_judged, input.judges) {
            windows.begin_one(rollout, figures, now);
        }
        self.is_judged = input.judges;
        let has_changed = may_have_changed && self.seen.as_ref() != Some(figures);
        if !has_changed && !is_due && rollout.ramp.is_none() {
            return todo;
        }
        let mut status = figures.status;
        if has_changed || is_due {
            if let (None, Some(cause)) = (self.seen.replace(figures.clone()), status.tripped) {
                todo.push(Todo::ReportRollback(cause));
            }
            if is_due {
                self.set_slow_after(rollout, input, &mut todo);
            }
            self.judge(rollout, input, windows, &mut todo);
            status.tripped = status
                .tripped
                .or_else(|| todo.iter().find_map(Todo::rollback));
        }
        let evidence = RampEvidence::of(rollout, figures);
        self.ramp.tick(
            rollout,
            status,
            evidence,
            now.wall_ms,
            input.judges,
            &mut todo,
        );
        let advance = todo.iter().find_map(Todo::advance);
        status.ramp = advance.map(RampProgress::AtStep).or(status.ramp);
        let weights = rollout.weights_at(now.wall_ms, status);
        if self.shown_weights.replace(weights) != Some(weights) {
            todo.push(Todo::ShowWeights(weights));
        }
        todo
    }

    /// Follows the stable color's times, but not each change of them: all VMs have to learn it.
    fn set_slow_after(&mut self, rollout: &Rollout, input: &TickInput<'_>, todo: &mut Vec<Todo>) {
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
            todo.push(Todo::SetSlowAfter(ns));
        }
    }

    fn judge(
        &mut self,
        rollout: &Rollout,
        input: &TickInput<'_>,
        windows: &mut Windows,
        todo: &mut Vec<Todo>,
    ) {
        let figures = input.figures;
        if self.measures
            && self.shown_outcomes.replace(figures.totals.outcomes) != Some(figures.totals.outcomes)
        {
            todo.push(Todo::ShowOutcomes(figures.totals.outcomes));
        }
        if rollout.compares()
            && self.shown_shadow.replace(figures.totals.shadow) != Some(figures.totals.shadow)
        {
            todo.push(Todo::ShowDisagreement(figures.totals.shadow));
        }
        if !rollout.scores().is_empty()
            && self.shown_scores.as_ref() != Some(&figures.totals.scores)
        {
            self.shown_scores = Some(figures.totals.scores.clone());
            todo.push(Todo::ShowScores(figures.totals.scores.clone()));
        }
        if !rollout.is_judged() {
            return;
        }
        let shown = input.shown.filter(|shown| shown.digest == self.digest);
        let state = match figures.status.tripped {
            Some(_) => GuardState::Tripped,
            None if input.judges => self.judge_limits(rollout, input, windows, todo),
            None => shown.map_or(GuardState::Inconclusive, |shown| shown.state),
        };
        let sequential = input.watched.and_then(|it| it.sequential.as_ref());
        let evidence = sequential.map(|it| match shown {
            Some(shown) if !input.judges => shown.evidence,
            _ => it.evidence(),
        });
        if let Some(evidence) = evidence
            && self.shown_evidence.replace(evidence) != Some(evidence)
        {
            todo.push(Todo::ShowEvidence(evidence));
        }
        if self.shown_state.replace(state) != Some(state) {
            todo.push(Todo::ShowGuardState(state));
        }
    }

    fn judge_limits(
        &mut self,
        rollout: &Rollout,
        input: &TickInput<'_>,
        windows: &mut Windows,
        todo: &mut Vec<Todo>,
    ) -> GuardState {
        let &TickInput { now, figures, .. } = input;
        let mut state = GuardState::Watching;
        if let Some(shadow) = &rollout.shadow {
            state = judge_shadow(shadow, figures, todo);
        }
        if let Some(quality) = &rollout.quality
            && !is_retired(rollout, figures.status, now)
            && state != GuardState::Tripped
        {
            state = self.judge_quality(rollout, quality, input, todo);
        }
        if let Some(guard) = &rollout.guard
            && state != GuardState::Tripped
        {
            state = judge_guard(rollout, guard, input, windows, todo);
        }
        state
    }

    fn judge_quality(
        &mut self,
        rollout: &Rollout,
        quality: &Quality,
        input: &TickInput<'_>,
        todo: &mut Vec<Todo>,
    ) -> GuardState {
        let &TickInput { now, figures, .. } = input;
        let verdicts = quality.judge(
            rollout.stable,
            &figures.totals.outcomes,
            &figures.totals.scores,
        );
        if self.shown_verdicts.as_ref() != Some(&verdicts.limits) {
            self.shown_verdicts = Some(verdicts.limits.clone());
            todo.push(Todo::ShowVerdicts(verdicts.limits));
        }
        match verdicts.analysis {
            QualityAnalysis::Inconclusive => GuardState::Inconclusive,
            QualityAnalysis::Passed => {
                if rollout.ramp.is_some() && figures.status.promoted_at_ms.is_none() {
                    todo.push(Todo::Promote(now.wall_ms));
                }
                GuardState::Watching
            }
            QualityAnalysis::Failed(breach) => roll_back(Cause::Quality, breach.to_string(), todo),
        }
    }
}

fn judge_guard(
    rollout: &Rollout,
    guard: &Guard,
    input: &TickInput<'_>,
    windows: &mut Windows,
    todo: &mut Vec<Todo>,
) -> GuardState {
    let sequential = input.watched.and_then(|it| it.sequential.as_ref());
    if let Some((kind, bad)) = sequential.and_then(SequentialGuard::finding) {
        let cause = Cause::sequential(kind);
        return roll_back(cause, finding(kind, bad), todo);
    }
    let mut counts = input.figures.totals.requests;
    if let (true, Some(watched)) = (guard.per_user, input.watched) {
        counts = watched.users.per_user(&counts);
    }
    let counts = windows.slide(rollout, guard.window_ms, input.now, counts);
    let has_canary = input
        .figures
        .totals
        .requests
        .of(rollout.stable.other())
        .requests
        > 0;
    match guard.judge(rollout.stable, &counts) {
        Analysis::Inconclusive if sequential.is_some() && has_canary => GuardState::Watching,
        Analysis::Inconclusive => GuardState::Inconclusive,
        Analysis::Passed => GuardState::Watching,
        Analysis::Failed(breach) => roll_back(breach.cause, breach.to_string(), todo),
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

fn judge_shadow(shadow: &Shadow, figures: &Figures, todo: &mut Vec<Todo>) -> GuardState {
    let comparison = shadow.comparison.as_ref();
    if let Some(breach) = comparison.and_then(|it| it.breach(&figures.totals.shadow)) {
        return roll_back(Cause::Quality, breach.to_string(), todo);
    }
    match shadow.judge(&figures.totals.shadow) {
        LimitVerdict::Undecided => GuardState::Inconclusive,
        LimitVerdict::Kept | LimitVerdict::Broken => GuardState::Watching,
    }
}

fn roll_back(cause: Cause, reason: String, todo: &mut Vec<Todo>) -> GuardState {
    todo.push(Todo::RollBack { cause, reason });
    GuardState::Tripped
}

/// Whether the canary has nothing to lose: it serves nobody, gets no copies, and no ramp will change that, as with the
/// old release after a swap of roles.
fn is_retired(rollout: &Rollout, status: RolloutStatus, now: Now) -> bool {
    let weights = rollout.weights_at(now.wall_ms, status);
    let gets_none = rollout.ramp.is_none() && rollout.shadow.is_none();
    gets_none && weights.of(rollout.stable.other()) == Percent::ZERO
}
