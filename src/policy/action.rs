//! The actions that the controller asks for.

use crate::analysis::confidence_sequence::LimitVerdict;
use crate::analysis::guard::Cause;
use crate::analysis::quality::Outcomes;
use crate::analysis::ramp_progress::RampPosition;
use crate::analysis::score_sum::ScoreSums;
use crate::analysis::sequential_guard::Evidence;
use crate::analysis::shadow_counts::ShadowCounts;
use crate::policy::ramp_begin::RampNotice;
use crate::policy::shared_state::Fact;
use crate::value::color::PerColor;
use crate::value::percent::Weights;

/// An action on one rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutAction {
    /// The index of the rollout.
    pub rollout: usize,
    /// The action.
    pub action: Action,
}

/// An action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send all traffic to the stable color.
    RollBack {
        /// The limit that was passed.
        cause: Cause,
        /// The limit and the figures.
        reason: String,
    },
    /// Let the ramp go on beyond the weight at which it waits, from this time on in milliseconds since 1970.
    Promote(u64),
    /// Hold responses to be slow after so many nanoseconds.
    SetSlowAfter(u64),
    /// Go on with a ramp whose steps ask for evidence.
    Advance {
        /// Where it is, where that is known.
        from: Option<RampPosition>,
        /// Where it is from now on.
        to: RampPosition,
        /// The line to log.
        reason: Option<String>,
    },
    /// Say where a ramp begins.
    ReportRamp(RampNotice),
    /// Say that a rollback outlasts the configuration under which it began.
    ReportRollback(Cause),
    /// Show the state of guard and quality gate.
    ShowGuardState(GuardState),
    /// Show how much evidence the sequential guard has.
    ShowEvidence(Evidence),
    /// Show the outcomes of each color's release.
    ShowOutcomes(PerColor<Outcomes>),
    /// Show how often the colors disagree.
    ShowDisagreement(ShadowCounts),
    /// Show the scores of each color's release.
    ShowScores(PerColor<ScoreSums>),
    /// Show what is known of each limit of quality, in the order of `Quality::limit_names`.
    ShowVerdicts(Vec<LimitVerdict>),
    /// Show the weights in force.
    ShowWeights(Weights),
    /// Show where the ramp is.
    ShowRamp(ShownRamp),
}

/// What the stats show of a ramp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownRamp {
    /// The index of the step in force; nothing before the start.
    pub step: Option<usize>,
    /// Whether time is no longer what it waits for.
    pub waits: bool,
}

/// Values of the stat `guard_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardState {
    /// 0: enough requests to judge, and no limit is passed.
    Watching = 0,
    /// 1: too few requests to judge.
    Inconclusive = 1,
    /// 2: the rollout is rolled back.
    Tripped = 2,
}

// === impl Action ===

impl Action {
    /// What all VMs have to know of it.
    pub fn fact(&self) -> Option<Fact> {
        match *self {
            Self::RollBack { cause, .. } => Some(Fact::RolledBack(cause)),
            Self::Promote(at_ms) => Some(Fact::Promoted(at_ms)),
            Self::SetSlowAfter(ns) => Some(Fact::SlowAfter(ns)),
            Self::Advance { from, to, .. } => Some(Fact::Advanced(from, to)),
            _ => None,
        }
    }

    /// Why to roll back, where that is to be done.
    pub fn rollback(&self) -> Option<Cause> {
        match self {
            Self::RollBack { cause, .. } => Some(*cause),
            _ => None,
        }
    }

    /// Where a ramp is from now on, where it goes on.
    pub fn advance(&self) -> Option<RampPosition> {
        match self {
            Self::Advance { to, .. } => Some(*to),
            _ => None,
        }
    }
}
