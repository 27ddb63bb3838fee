//! The command line.

use crate::commands::{
    check, completions, dashboard, diff, drift, explain, run, run_fleet, shift, stats, status,
    step, undo, watch,
};
use crate::output::Output;
use clap::{Parser, Subcommand};

/// Blue/green rollouts in Envoy: checks, explains and changes configurations, and tells how rollouts do.
///
/// FILE is the file that Envoy takes the filter from (ECDS), a bootstrap, a ConfigMap of either, or the
/// configuration's JSON alone; `-` is standard input.
#[derive(Debug, Parser)]
#[command(name = "bluegreen", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// For people, or for programs.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "text",
        value_name = "FORM"
    )]
    pub output: Output,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 fine, 1 a finding, 2 wrong usage (of status: timed out), 3 an Envoy does not answer";

/// All commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say all that is wrong with a configuration, with path, line and column
    Check(check::Args),
    /// Print the JSON Schema of the configuration
    Schema,
    /// Say who serves a request, and why
    Explain(explain::Args),
    /// Say who moves from one configuration to another, and what else changes
    Diff(diff::Args),
    /// Set the weight of green (or of blue)
    Shift(shift::Args),
    /// Give the stable color everything, and take the ramp out
    Rollback(step::RollbackArgs),
    /// Leave the step at which the ramp waits; with --full, give the canary everything
    Promote(step::PromoteArgs),
    /// Keep the weight in force until `resume`
    Pause(step::StepArgs),
    /// Let a paused ramp go on
    Resume(step::StepArgs),
    /// Make the canary the stable color; nobody moves
    Swap(step::StepArgs),
    /// Go back to the version of the file before the last move
    Undo(undo::Args),
    /// Tell how the rollouts of running Envoys do
    Status(status::Args),
    /// Show how the rollouts of running Envoys go, live
    Watch(watch::Args),
    /// Show in a browser how rollouts do, and make moves there
    Dashboard(dashboard::Args),
    /// Tell how two environments differ
    Drift(drift::Args),
    /// Print the stats of each color
    Stats(stats::Args),
    /// Run Envoy with an embedded blue and green upstream
    #[command(hide = true)]
    Run(run::Args),
    /// Run three Envoys and an etcd with one configuration
    #[command(hide = true)]
    RunFleet(run_fleet::Args),
    /// Print the completions of a shell
    Completions(completions::Args),
    /// Print the man page
    Man,
}
