//! Makes a move: prepares it, replaces the file, and waits until Envoys have taken it up.

use crate::clock::{now_ms, parse_at, parse_duration};
use crate::envoy::admin::Admin;
use crate::failure::{Failure, Report};
use crate::moves::kind::Move;
use crate::moves::prepared::Prepared;
use crate::moves::taken::Waiting;
use std::path::PathBuf;
use std::time::Duration;

/// What all moves have in common.
#[derive(Debug, clap::Args)]
pub struct MoveArgs {
    /// The file, or `-`: then the new version is printed
    pub file: PathBuf,
    /// The name of the rollout; it may be left out where there is one alone
    pub rollout: Option<String>,
    /// Change nothing, and print what would change as a unified diff
    #[arg(long)]
    pub dry_run: bool,
    /// An Envoy that watches the file: it tells what is in force before, and has to take the new version
    #[arg(long, value_name = "URL")]
    pub admin: Vec<String>,
    /// How long an Envoy may take for it
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    pub timeout: Duration,
    /// As if it were this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = parse_at)]
    pub at: Option<u64>,
}

/// Makes a move. `step` is the ramp's step in force, where the operator says it.
///
/// # Errors
/// Where the file can't be read, changed or written, and where the move can't be made.
pub fn make(args: &MoveArgs, step: Option<usize>, wanted: Move) -> Result<Report, Failure> {
    let admins = Admin::all(&args.admin)?;
    let now_ms = args.at.unwrap_or_else(now_ms);
    let rollout = args.rollout.as_deref();
    let prepared = Prepared::new(&args.file, rollout, &admins, now_ms, step, wanted)?;
    let is_written = prepared.is_changed() && prepared.is_file() && !args.dry_run;
    if is_written {
        let waiting: Vec<Waiting<'_>> = admins
            .iter()
            .map(Waiting::begin)
            .collect::<Result<_, _>>()?;
        prepared.write()?;
        let mut waiting = waiting.iter();
        waiting.try_for_each(|envoy| envoy.until_taken(prepared.fingerprint, args.timeout))?;
    }
    let text = if args.dry_run {
        prepared.diff()
    } else if prepared.is_file() {
        prepared.text()
    } else {
        prepared.edited.text.clone()
    };
    Ok(Report::fine(text, prepared.json(is_written)))
}
