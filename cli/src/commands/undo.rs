//! `bluegreen undo`.

use crate::clock::parse_duration;
use crate::envoy::admin::Admin;
use crate::failure::{Failure, Report};
use crate::moves::taken::Waiting;
use crate::moves::undoing::Undoing;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// Goes back to the version of a file before the last move.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file
    pub file: PathBuf,
    /// Change nothing, and print what would change as a unified diff
    #[arg(long)]
    pub dry_run: bool,
    /// An Envoy that watches the file and has to take the version before
    #[arg(long, value_name = "URL")]
    pub admin: Vec<String>,
    /// How long an Envoy may take for it
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    pub timeout: Duration,
}

/// Runs the command. The version that it replaces is kept in turn, so that a second `undo` takes the first one back.
///
/// # Errors
/// Where no version before is kept, it is not valid, or the file can't be replaced; where an Envoy does not take it.
pub fn run(args: &Args) -> Result<Report, Failure> {
    let admins = Admin::all(&args.admin)?;
    let undoing = Undoing::new(&args.file)?;
    let (name, diff) = (&undoing.name, undoing.diff());
    let is_changed = undoing.is_changed();
    let fingerprint = undoing.policy.fingerprint;
    if is_changed && !args.dry_run {
        let waiting: Vec<Waiting<'_>> = admins
            .iter()
            .map(Waiting::begin)
            .collect::<Result<_, _>>()?;
        undoing.write()?;
        let mut waiting = waiting.iter();
        waiting.try_for_each(|envoy| envoy.until_taken(fingerprint, args.timeout))?;
    }
    let text = match (args.dry_run, is_changed) {
        (true, _) => diff.clone(),
        (false, false) => format!("{name}: the version before is the same\n"),
        (false, true) => {
            format!("{name}: back to the version before, fingerprint {fingerprint}\n{diff}")
        }
    };
    let json = json!({
        "file": name,
        "changed": is_changed,
        "written": is_changed && !args.dry_run,
        "fingerprint": fingerprint,
        "diff": diff,
    });
    Ok(Report::fine(text, json))
}
