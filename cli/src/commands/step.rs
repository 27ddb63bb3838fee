//! `bluegreen rollback`, `promote`, `pause`, `resume` and `swap`.

use crate::failure::{Failure, Report};
use crate::moves::kind::Move;
use crate::moves::make::{MoveArgs, make};

/// Gives the stable color everything.
#[derive(Debug, clap::Args)]
pub struct RollbackArgs {
    /// Which file and rollout, and how
    #[command(flatten)]
    pub common: MoveArgs,
}

/// Leaves the step at which the ramp waits.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct PromoteArgs {
    /// Which file and rollout, and how
    #[command(flatten)]
    pub common: MoveArgs,
    /// Give the canary everything, and take the ramp out
    #[arg(long)]
    pub full: bool,
    /// The step of the ramp that is in force, from 0, where the file does not tell
    #[arg(long, value_name = "N", conflicts_with = "full")]
    pub step: Option<usize>,
}

/// Goes by the step of the ramp that is in force.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct StepArgs {
    /// Which file and rollout, and how
    #[command(flatten)]
    pub common: MoveArgs,
    /// The step of the ramp that is in force, from 0, where the file does not tell
    #[arg(long, value_name = "N")]
    pub step: Option<usize>,
}

/// Runs `rollback`.
///
/// # Errors
/// As for each move.
pub fn rollback(args: &RollbackArgs) -> Result<Report, Failure> {
    make(&args.common, None, Move::Rollback)
}

/// Runs `promote`.
///
/// # Errors
/// As for each move.
pub fn promote(args: &PromoteArgs) -> Result<Report, Failure> {
    let wanted = if args.full {
        Move::PromoteFull
    } else {
        Move::Promote
    };
    make(&args.common, args.step, wanted)
}

/// Runs `pause`.
///
/// # Errors
/// As for each move.
pub fn pause(args: &StepArgs) -> Result<Report, Failure> {
    make(&args.common, args.step, Move::Pause)
}

/// Runs `resume`.
///
/// # Errors
/// As for each move.
pub fn resume(args: &StepArgs) -> Result<Report, Failure> {
    make(&args.common, args.step, Move::Resume)
}

/// Runs `swap`.
///
/// # Errors
/// As for each move.
pub fn swap(args: &StepArgs) -> Result<Report, Failure> {
    make(&args.common, args.step, Move::Swap)
}
