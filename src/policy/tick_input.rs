//! The input for one rollout at one tick.

use crate::policy::figures::{Figures, Now};
use crate::policy::fleet_view::FleetShown;
use crate::policy::sequential_guards::Watched;

/// The input for one rollout at one tick.
#[derive(Clone, Copy, Debug)]
pub struct TickInput<'a> {
    /// The time.
    pub now: Now,
    /// The rollout's figures.
    pub figures: &'a Figures,
    /// Whether they may have changed.
    pub may_have_changed: bool,
    /// Whether to evaluate everything in any case.
    pub is_due: bool,
    /// What is known of single requests.
    pub watched: Option<&'a Watched>,
    /// Whether this proxy judges, and not another one of its fleet.
    pub judges: bool,
    /// What the other one shows.
    pub shown: Option<&'a FleetShown>,
}
