//! The moves.

use crate::failure::Failure;
use crate::moves::plan::Plan;
use crate::moves::subject::Subject;
use crate::moves::{ramp, weights};
use bluegreen::Weights;

/// What an operator may do with a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Set the weights.
    Shift {
        /// To these.
        weights: Weights,
        /// Whether a ramp, which would decide the weight itself, is taken out.
        end_ramp: bool,
    },
    /// Give the stable color everything.
    Rollback,
    /// Leave the step at which the ramp waits.
    Promote,
    /// Give the canary everything.
    PromoteFull,
    /// Keep the weight in force.
    Pause,
    /// Let a paused ramp go on.
    Resume,
    /// Make the canary the stable color.
    Swap,
}

// === impl Move ===

impl Move {
    /// Whether it depends on the step of the ramp that is in force: an Envoy that is asked must have the file in force.
    pub const fn needs_step(self) -> bool {
        match self {
            Self::Shift { .. } | Self::Rollback | Self::PromoteFull => false,
            Self::Promote | Self::Pause | Self::Resume | Self::Swap => true,
        }
    }

    /// What it changes.
    ///
    /// # Errors
    /// Where it can't be made.
    pub fn plan(self, subject: &Subject<'_>) -> Result<Plan, Failure> {
        if self.needs_step() {
            unless_rolled_back(subject)?;
        }
        match self {
            Self::Shift { weights, end_ramp } => weights::shift(subject, weights, end_ramp),
            Self::Rollback => Ok(weights::rollback(subject)),
            Self::Promote => ramp::promote(subject),
            Self::PromoteFull => Ok(weights::promote_full(subject)),
            Self::Pause => ramp::pause(subject),
            Self::Resume => ramp::resume(subject),
            Self::Swap => weights::swap(subject),
        }
    }
}

/// A change of its configuration would end a rollback, and send users to a canary that failed.
fn unless_rolled_back(subject: &Subject<'_>) -> Result<(), Failure> {
    if subject.live.is_some_and(|live| live.is_rolled_back) {
        let name = subject.name();
        return Err(Failure::finding(format!(
            "{name}: it is rolled back: `bluegreen rollback` writes that into the file, `bluegreen shift` lets users \
             in again"
        )));
    }
    Ok(())
}
