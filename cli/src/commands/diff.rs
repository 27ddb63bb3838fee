//! `bluegreen diff`.

use crate::clock::{now_ms, parse_at};
use crate::failure::{Exit, Failure, Report};
use crate::fields::{Change, Fields, changes, fields};
use crate::file::config_file::ConfigFile;
use crate::moved::{Counted, Moved};
use crate::show::{weights_json, weights_text};
use bluegreen::{Policy, Rollout, RolloutStatus, Weights};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Says who moves from one configuration to another, and what else changes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration that is in force, or `-`
    pub old: PathBuf,
    /// The one that is to come, or `-`
    pub new: PathBuf,
    /// At this time (RFC 3339), by which ramps go; now where absent
    #[arg(long, value_name = "TIME", value_parser = parse_at)]
    pub at: Option<u64>,
    /// Exit with 1 where anything differs
    #[arg(long)]
    pub exit_code: bool,
}

/// One of the two configurations.
#[derive(Debug)]
pub struct Side {
    policy: Policy,
    json: String,
}

/// The configuration of a file as it stands there.
struct Written<'s> {
    top: Fields<'s>,
    rollouts: Vec<&'s RawValue>,
}

/// What becomes of one rollout.
#[derive(Debug)]
enum Fate {
    Added,
    Removed,
    Kept {
        before: Weights,
        after: Weights,
        moved: Moved,
        changes: Vec<Change>,
        /// Whether another source may give the key.
        keys_change: bool,
        /// Whether a rollback in force ends.
        ends_rollback: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// Where one of the files has no valid configuration.
pub fn run(args: &Args) -> Result<Report, Failure> {
    if args.old == Path::new("-") && args.new == Path::new("-") {
        return Err(Failure::usage("standard input can't be both, OLD and NEW"));
    }
    let (old, new) = (Side::read(&args.old)?, Side::read(&args.new)?);
    let now_ms = args.at.unwrap_or_else(now_ms);
    let report = compare(&old, &new, now_ms)?;
    let is_same = report.json.get("same").and_then(Value::as_bool) == Some(true);
    Ok(Report {
        exit: if args.exit_code && !is_same {
            Exit::Finding
        } else {
            Exit::Fine
        },
        ..report
    })
}

/// Says who moves from one configuration to another, and what else changes.
///
/// # Errors
/// None that valid configurations give.
pub fn compare(old: &Side, new: &Side, now_ms: u64) -> Result<Report, Failure> {
    let written = [old.written()?, new.written()?];
    let [old_written, new_written] = &written;
    let top = changes(&old_written.top, &new_written.top);
    let fates = fates([&old.policy, &new.policy], &written, now_ms);
    let differs = |fate: &Fate| !matches!(fate, Fate::Kept { changes, moved, .. } if changes.is_empty() && moved.is_nobody());
    let is_same = top.is_empty() && !fates.iter().any(|(_, fate)| differs(fate));
    let mut text: String = top.iter().map(|change| format!("{change}\n")).collect();
    for (name, fate) in fates.iter().filter(|(_, fate)| differs(fate)) {
        text += &fate.text(name);
    }
    if is_same {
        text += "nothing changes\n";
    }
    let rollouts = fates.iter().map(|(name, fate)| fate.json(name));
    let json = json!({
        "same": is_same,
        "changes": top.iter().map(Change::json).collect::<Vec<_>>(),
        "rollouts": rollouts.collect::<Vec<_>>(),
    });
    Ok(Report::fine(text, json))
}

/// What becomes of each rollout: those of the new configuration in its order, then those that are gone.
fn fates<'p>(
    [old, new]: [&'p Policy; 2],
    [old_written, new_written]: &[Written<'_>; 2],
    now_ms: u64,
) -> Vec<(&'p str, Fate)> {
    let mut fates = Vec::new();
    let mut counted = Counted::default();
    for (rollout, json) in new.rollouts.iter().zip(&new_written.rollouts) {
        let name = rollout.name.as_str();
        let before = old.named(name);
        let before =
            before.and_then(|it| Some((old.rollouts.get(it)?, old_written.rollouts.get(it)?)));
        let fate = match before {
            None => Fate::Added,
            Some((before, before_json)) => {
                Fate::kept([before, rollout], [before_json, json], now_ms, &mut counted)
            }
        };
        fates.push((name, fate));
    }
    for rollout in &old.rollouts {
        let name = rollout.name.as_str();
        if new.named(name).is_none() {
            fates.push((name, Fate::Removed));
        }
    }
    fates
}

// === impl Side ===

impl Side {
    fn read(path: &Path) -> Result<Self, Failure> {
        let file = ConfigFile::open(path)?;
        Ok(Self::new(file.policy()?, file.source.json))
    }

    /// Of a configuration's policy and its text.
    pub const fn new(policy: Policy, json: String) -> Self {
        Self { policy, json }
    }

    fn written(&self) -> Result<Written<'_>, Failure> {
        let failed = |error: serde_json::Error| Failure::finding(error.to_string());
        let mut top = fields(&self.json);
        let rollouts = top.remove("rollouts").map_or("[]", RawValue::get);
        Ok(Written {
            top,
            rollouts: serde_json::from_str(rollouts).map_err(failed)?,
        })
    }
}

// === impl Fate ===

impl Fate {
    fn kept(
        rollouts: [&Rollout; 2],
        [old_json, new_json]: [&RawValue; 2],
        now_ms: u64,
        counted: &mut Counted,
    ) -> Self {
        let [old, new] = rollouts;
        let [before, after] = rollouts.map(|it| it.weights_at(now_ms, RolloutStatus::default()));
        Self::Kept {
            before,
            after,
            moved: counted.moved(old, new, before, after),
            changes: if old_json.get() == new_json.get() {
                Vec::new()
            } else {
                changes(&fields(old_json.get()), &fields(new_json.get()))
            },
            keys_change: old.sticky != new.sticky,
            ends_rollback: old.digest() != new.digest(),
        }
    }

    fn text(&self, name: &str) -> String {
        match self {
            Self::Added => format!("{name}: new\n"),
            Self::Removed => {
                format!("{name}: gone; its requests belong to another rollout or to none\n")
            }
            Self::Kept {
                before,
                after,
                moved,
                changes,
                keys_change,
                ends_rollback,
            } => {
                let weights = if before == after {
                    weights_text(*after)
                } else {
                    format!("{} -> {}", weights_text(*before), weights_text(*after))
                };
                let mut text = format!("{name}: {}; {weights}\n", moved.text());
                for change in changes {
                    text += &format!("  {change}\n");
                }
                if *keys_change {
                    text += "  users whose key comes from another source now are drawn anew\n";
                }
                if !*ends_rollback {
                    text += "  only the form differs: a rollback in force stays\n";
                }
                text
            }
        }
    }

    fn json(&self, name: &str) -> Value {
        match self {
            Self::Added => json!({ "rollout": name, "fate": "added" }),
            Self::Removed => json!({ "rollout": name, "fate": "removed" }),
            Self::Kept {
                before,
                after,
                moved,
                changes,
                keys_change,
                ends_rollback,
            } => {
                let [to_green, to_blue] = moved.percent();
                json!({
                    "rollout": name,
                    "fate": "kept",
                    "before": weights_json(*before),
                    "after": weights_json(*after),
                    "blue_to_green_percent": to_green,
                    "green_to_blue_percent": to_blue,
                    "drawn_anew": moved.is_drawn_anew,
                    "keys_change": keys_change,
                    "ends_rollback": ends_rollback,
                    "changes": changes.iter().map(Change::json).collect::<Vec<_>>(),
                })
            }
        }
    }
}
