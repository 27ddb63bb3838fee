//! What the stats show of one rollout.

use crate::analysis::confidence_sequence::LimitVerdict;
use crate::analysis::quality::Outcomes;
use crate::analysis::score_sum::ScoreSums;
use crate::analysis::sequential_guard::Evidence;
use crate::analysis::shadow_counts::ShadowCounts;
use crate::policy::action::{Action, GuardState};
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
    pub fn show_state(&mut self, state: GuardState, actions: &mut Vec<Action>) {
        if self.state.replace(state) != Some(state) {
            actions.push(Action::ShowGuardState(state));
        }
    }

    /// Shows the evidence of the sequential guard.
    pub fn show_evidence(&mut self, evidence: Evidence, actions: &mut Vec<Action>) {
        if self.evidence.replace(evidence) != Some(evidence) {
            actions.push(Action::ShowEvidence(evidence));
        }
    }

    /// Shows what is known of each limit of quality.
    pub fn show_verdicts(&mut self, verdicts: Vec<LimitVerdict>, actions: &mut Vec<Action>) {
        if self.verdicts.as_ref() != Some(&verdicts) {
            self.verdicts = Some(verdicts.clone());
            actions.push(Action::ShowVerdicts(verdicts));
        }
    }

    /// Shows the weights in force.
    pub fn show_weights(&mut self, weights: Weights, actions: &mut Vec<Action>) {
        if self.weights.replace(weights) != Some(weights) {
            actions.push(Action::ShowWeights(weights));
        }
    }

    /// Shows what was counted, of what the rollout uses.
    pub fn show_totals(&mut self, rollout: &Rollout, totals: &Totals, actions: &mut Vec<Action>) {
        let (outcomes, shadow) = (totals.outcomes, totals.shadow);
        if rollout.measures() && self.outcomes.replace(outcomes) != Some(outcomes) {
            actions.push(Action::ShowOutcomes(outcomes));
        }
        if rollout.compares() && self.shadow.replace(shadow) != Some(shadow) {
            actions.push(Action::ShowDisagreement(shadow));
        }
        if !rollout.scores().is_empty() && self.scores.as_ref() != Some(&totals.scores) {
            self.scores = Some(totals.scores.clone());
            actions.push(Action::ShowScores(totals.scores.clone()));
        }
    }
}
