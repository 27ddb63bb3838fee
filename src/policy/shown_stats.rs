//! What the stats show of one rollout.

use crate::analysis::confidence_sequence::LimitVerdict;
use crate::analysis::quality::Outcomes;
use crate::analysis::score_sum::ScoreSums;
use crate::analysis::sequential_guard::Evidence;
use crate::analysis::shadow_counts::ShadowCounts;
use crate::policy::action::{GuardState, Todo};
use crate::policy::fleet_view::FleetShown;
use crate::policy::rollout::Rollout;
use crate::policy::totals::Totals;
use crate::value::color::PerColor;
use crate::value::percent::Weights;

/// What the stats show of one rollout, as far as this VM knows: only what differs is shown anew.
#[derive(Debug, Default)]
pub struct ShownStats {
    state: Option<GuardState>,
    evidence: Option<Evidence>,
    outcomes: Option<PerColor<Outcomes>>,
    shadow: Option<ShadowCounts>,
    scores: Option<PerColor<ScoreSums>>,
    verdicts: Option<Vec<LimitVerdict>>,
    weights: Option<Weights>,
}

// === impl ShownStats ===

impl ShownStats {
    /// Of guard and quality gate, for a rollout of this digest.
    pub fn of_guard(&self, digest: u64) -> Option<FleetShown> {
        Some(FleetShown {
            digest,
            state: self.state?,
            evidence: self.evidence.unwrap_or_default(),
        })
    }

    /// Another VM, whose configuration is over, may have shown something else since.
    pub fn forget(&mut self) {
        self.state = None;
        self.evidence = None;
        self.verdicts = None;
        self.weights = None;
    }

    /// Shows the state of guard and quality gate.
    pub fn show_state(&mut self, state: GuardState, todo: &mut Vec<Todo>) {
        if self.state.replace(state) != Some(state) {
            todo.push(Todo::ShowGuardState(state));
        }
    }

    /// Shows the evidence of the sequential guard.
    pub fn show_evidence(&mut self, evidence: Evidence, todo: &mut Vec<Todo>) {
        if self.evidence.replace(evidence) != Some(evidence) {
            todo.push(Todo::ShowEvidence(evidence));
        }
    }

    /// Shows what is known of each limit of quality.
    pub fn show_verdicts(&mut self, verdicts: Vec<LimitVerdict>, todo: &mut Vec<Todo>) {
        if self.verdicts.as_ref() != Some(&verdicts) {
            self.verdicts = Some(verdicts.clone());
            todo.push(Todo::ShowVerdicts(verdicts));
        }
    }

    /// Shows the weights in force.
    pub fn show_weights(&mut self, weights: Weights, todo: &mut Vec<Todo>) {
        if self.weights.replace(weights) != Some(weights) {
            todo.push(Todo::ShowWeights(weights));
        }
    }

    /// Shows what was counted, of what the rollout uses.
    pub fn show_totals(&mut self, rollout: &Rollout, totals: &Totals, todo: &mut Vec<Todo>) {
        let (outcomes, shadow) = (totals.outcomes, totals.shadow);
        if rollout.measures() && self.outcomes.replace(outcomes) != Some(outcomes) {
            todo.push(Todo::ShowOutcomes(outcomes));
        }
        if rollout.compares() && self.shadow.replace(shadow) != Some(shadow) {
            todo.push(Todo::ShowDisagreement(shadow));
        }
        if !rollout.scores().is_empty() && self.scores.as_ref() != Some(&totals.scores) {
            self.scores = Some(totals.scores.clone());
            todo.push(Todo::ShowScores(totals.scores.clone()));
        }
    }
}
