//! `bluegreen shift`.

use crate::failure::{Failure, Report};
use crate::moves::kind::Move;
use crate::moves::make::{MoveArgs, make};
use bluegreen::{Color, Percent, Weights};

/// Sets the weights of a rollout.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Which file and rollout, and how
    #[command(flatten)]
    pub common: MoveArgs,
    /// Percent of green, in steps of 0.001
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent, required_unless_present = "blue")]
    pub green: Option<Percent>,
    /// Percent of blue, instead of green
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent, conflicts_with = "green")]
    pub blue: Option<Percent>,
    /// Take the ramp out, which would decide the weight
    #[arg(long)]
    pub end_ramp: bool,
}

fn parse_percent(text: &str) -> Result<Percent, String> {
    Percent::parse(text).map_err(|error| error.to_string())
}

/// Runs the command.
///
/// # Errors
/// As for each move.
pub fn run(args: &Args) -> Result<Report, Failure> {
    let weights = match (args.green, args.blue) {
        (Some(green), _) => Weights::giving(Color::Green, green),
        (None, blue) => Weights::giving(Color::Blue, blue.unwrap_or_default()),
    };
    let end_ramp = args.end_ramp;
    make(&args.common, None, Move::Shift { weights, end_ramp })
}
