//! `bluegreen undo`.

use crate::failure::{Failure, Report};
use crate::file::config_file::{ConfigFile, name_of, parse};
use crate::file::replacement::{Replacement, undo_path};
use crate::moves::make::unified_diff;
use crate::source::document::Source;
use serde_json::json;
use std::path::{Path, PathBuf};

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
    let name = name_of(&args.file);
    if args.file == Path::new("-") {
        return Err(Failure::usage(
            "undo needs a file: standard input has no version before",
        ));
    }
    let now = ConfigFile::read_text(&args.file)?;
    let kept = undo_path(&args.file);
    if !kept.exists() {
        let kept = kept.display();
        return Err(Failure::finding(format!(
            "{name}: no version before is kept in {kept}"
        )));
    }
    let before = ConfigFile::read_text(&kept)?;
    let kept = kept.display().to_string();
    let source = Source::read(before).map_err(|error| Failure::source(&kept, &error))?;
    let policy = parse(&source).map_err(|problems| {
        let lines = problems.iter().map(|problem| problem.line(&kept));
        let lines: Vec<String> = lines.collect();
        Failure::finding(format!(
            "nothing is written, for the filter would reject the version before:\n{}",
            lines.join("\n")
        ))
    })?;
    let diff = unified_diff(&name, &now, &source.text);
    let is_changed = now != source.text;
    if is_changed && !args.dry_run {
        Replacement::prepare(&args.file, &now, &source.text)?.commit()?;
    }
    let text = match (args.dry_run, is_changed) {
        (true, _) => diff.clone(),
        (false, false) => format!("{name}: the version before is the same\n"),
        (false, true) => format!(
            "{name}: back to the version before, fingerprint {}\n{diff}",
            policy.fingerprint
        ),
    };
    let json = json!({
        "file": name,
        "changed": is_changed,
        "written": is_changed && !args.dry_run,
        "fingerprint": policy.fingerprint,
        "diff": diff,
    });
    Ok(Report::fine(text, json))
}
