//! `bluegreen rollback`, `promote`, `pause`, `resume` and `swap`.

use crate::failure::{Failure, Report};
use crate::moves::make::{Knows, MoveArgs, make};
use crate::moves::plan::Plan;
use crate::moves::subject::Subject;
use crate::moves::{ramp, weights};

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

/// Keeps the weight in force.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct PauseArgs {
    /// Which file and rollout, and how
    #[command(flatten)]
    pub common: MoveArgs,
    /// The step of the ramp that is in force, from 0, where the file does not tell
    #[arg(long, value_name = "N")]
    pub step: Option<usize>,
}

/// Lets a paused ramp go on.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct ResumeArgs {
    /// Which file and rollout, and how
    #[command(flatten)]
    pub common: MoveArgs,
    /// The step of the ramp that is in force, from 0, where the file does not tell
    #[arg(long, value_name = "N")]
    pub step: Option<usize>,
}

/// Makes the canary the stable color.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct SwapArgs {
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
    make(&args.common, Knows::Nothing, |subject| {
        Ok(weights::rollback(subject))
    })
}

/// Runs `promote`.
///
/// # Errors
/// As for each move.
pub fn promote(args: &PromoteArgs) -> Result<Report, Failure> {
    if args.full {
        return make(&args.common, Knows::Nothing, |subject| {
            Ok(weights::promote_full(subject))
        });
    }
    make(&args.common, Knows::Ramp(args.step), |it| {
        unless_rolled_back(it, ramp::promote)
    })
}

/// Runs `pause`.
///
/// # Errors
/// As for each move.
pub fn pause(args: &PauseArgs) -> Result<Report, Failure> {
    make(&args.common, Knows::Ramp(args.step), |it| {
        unless_rolled_back(it, ramp::pause)
    })
}

/// Runs `resume`.
///
/// # Errors
/// As for each move.
pub fn resume(args: &ResumeArgs) -> Result<Report, Failure> {
    make(&args.common, Knows::Ramp(args.step), |it| {
        unless_rolled_back(it, ramp::resume)
    })
}

/// Runs `swap`.
///
/// # Errors
/// As for each move.
pub fn swap(args: &SwapArgs) -> Result<Report, Failure> {
    make(&args.common, Knows::Ramp(args.step), |it| {
        unless_rolled_back(it, weights::swap)
    })
}

/// A change of its configuration would end a rollback, and send users to a canary that failed.
fn unless_rolled_back(
    subject: &Subject<'_>,
    plan: impl FnOnce(&Subject<'_>) -> Result<Plan, Failure>,
) -> Result<Plan, Failure> {
    if subject.live.is_some_and(|live| live.is_rolled_back) {
        let name = subject.name();
        return Err(Failure::finding(format!(
            "{name}: it is rolled back: `bluegreen rollback` writes that into the file, `bluegreen shift` lets users \
             in again"
        )));
    }
    plan(subject)
}
