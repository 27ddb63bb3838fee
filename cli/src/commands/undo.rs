//! `bluegreen undo`.

use crate::failure::{Failure, Report};
use crate::moves::undoing::Undoing;
use serde_json::json;
use std::path::PathBuf;

/// Goes back to the version of a file before the last move.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file
    pub file: PathBuf,
    /// Change nothing, and print what would change as a unified diff
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command. The version that it replaces is kept in turn, so that a second `undo` takes the first one back.
///
/// # Errors
/// Where no version before is kept, it is not valid, or the file can't be replaced.
pub fn run(args: &Args) -> Result<Report, Failure> {
    let undoing = Undoing::new(&args.file)?;
    let (name, diff) = (&undoing.name, undoing.diff());
    let is_changed = undoing.is_changed();
    if is_changed && !args.dry_run {
        undoing.write()?;
    }
    let fingerprint = undoing.policy.fingerprint;
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
