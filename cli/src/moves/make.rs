//! Makes a move: reads the file, plans, checks what comes of it, and replaces the file.

use crate::clock::{now_ms, parse_at, parse_duration};
use crate::envoy::admin::Admin;
use crate::envoy::in_force::{InForce, RolloutState};
use crate::failure::{Failure, Report};
use crate::file::config_file::{ConfigFile, parse};
use crate::file::replacement::Replacement;
use crate::json::tree::Tree;
use crate::moved::Moved;
use crate::moves::plan::Plan;
use crate::moves::subject::Subject;
use crate::moves::taken::Waiting;
use crate::nearest::nearest;
use crate::show::{weights_json, weights_text};
use crate::source::document::Source;
use bluegreen::{Policy, Rollout, RolloutName, RolloutStatus, Weights};
use serde_json::json;
use similar::TextDiff;
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

/// What a move has to know of what is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    /// Nothing.
    Nothing,
    /// How far the ramp is: an Envoy that is asked must have the file in force, unless the operator says the step.
    Ramp(Option<usize>),
}

/// Makes a move, which `plan` plans.
///
/// # Errors
/// Where the file can't be read, changed or written, and where the move can't be made.
pub fn make(
    args: &MoveArgs,
    knows: Knows,
    plan: impl FnOnce(&Subject<'_>) -> Result<Plan, Failure>,
) -> Result<Report, Failure> {
    let file = ConfigFile::open(&args.file)?;
    let policy = file.policy()?;
    let index = find(&policy, args.rollout.as_deref(), &file.name)?;
    let admins = Admin::all(&args.admin)?;
    let document = Tree::parse(&file.source.json);
    let items = document.as_ref().and_then(|tree| tree.get("rollouts"));
    let items = items.map(Tree::items).unwrap_or_default();
    let found = policy.rollouts.get(index).zip(items.get(index));
    let (rollout, tree) = found.ok_or_else(|| Failure::finding("the rollout is not there"))?;
    let live = live(&admins, &policy, &rollout.name);
    let (live, step) = match knows {
        Knows::Nothing => (live.unwrap_or_default(), None),
        Knows::Ramp(step) => (live?, step),
    };
    let subject = Subject {
        rollout,
        tree,
        json: &file.source.json,
        now_ms: args.at.unwrap_or_else(now_ms),
        live,
        step,
    };
    let plan = plan(&subject)?;
    let edited = edited(&file, &plan)?;
    let (fingerprint, after, weights) = outcome(&file, &edited, &plan, &subject)?;
    let before = live.map_or_else(|| subject.weights_by_file(), |it| it.weights);
    let moved = Moved::count(rollout, &after, before, weights);
    let is_changed = edited.text != file.source.text;
    let is_written = is_changed && !args.dry_run && file.path.is_some();
    if is_written {
        write(args, &file, &edited, &admins, fingerprint)?;
    }

    let diff = diff(&file, &edited);
    let notes: String = plan.notes.iter().map(|note| format!("; {note}")).collect();
    let (name, shown) = (subject.name(), weights_text(weights));
    let text = if args.dry_run {
        diff.clone()
    } else if file.path.is_none() {
        edited.text.clone()
    } else if is_changed {
        format!("{name}: {shown}; {}{notes}\n", moved.text())
    } else {
        format!("{name}: nothing to change, {shown}{notes}\n")
    };
    let [to_green, to_blue] = moved.percent();
    // Of standard input the new version goes nowhere else.
    let new = file.path.is_none().then_some(&edited.text);
    let json = json!({
        "file": file.name,
        "text": new,
        "rollout": name,
        "changed": is_changed,
        "written": is_written,
        "before": weights_json(before),
        "after": weights_json(weights),
        "blue_to_green_percent": to_green,
        "green_to_blue_percent": to_blue,
        "notes": plan.notes,
        "diff": diff,
    });
    Ok(Report::fine(text, json))
}

/// The unified diff between two versions of a file.
pub fn unified_diff(name: &str, before: &str, after: &str) -> String {
    let lines = TextDiff::from_lines(before, after);
    lines.unified_diff().header(name, name).to_string()
}

fn diff(file: &ConfigFile, edited: &Source) -> String {
    unified_diff(&file.name, &file.source.text, &edited.text)
}

/// The index of the rollout that is named, or of the only one.
fn find(policy: &Policy, name: Option<&str>, file: &str) -> Result<usize, Failure> {
    let names = || policy.rollouts.iter().map(|it| it.name.as_str());
    match (name, policy.rollouts.len()) {
        (None, 1) => Ok(0),
        (None, _) => {
            let names: Vec<&str> = names().take(20).collect();
            let names = names.join(", ");
            Err(Failure::usage(format!(
                "{file}: which rollout? One of {names}"
            )))
        }
        (Some(name), _) => policy.named(name).ok_or_else(|| {
            let like = nearest(name, names());
            Failure::usage(format!("{file}: no rollout {name:?}{like}"))
        }),
    }
}

/// How the rollout does in the Envoys, which have to agree and to have this file in force.
fn live(
    admins: &[Admin],
    policy: &Policy,
    rollout: &RolloutName,
) -> Result<Option<RolloutState>, Failure> {
    let mut found: Option<RolloutState> = None;
    for admin in admins {
        let url = &admin.url;
        let in_force = InForce::ask(admin)?;
        let name = rollout.as_str();
        let state = in_force
            .state(name)
            .filter(|_| in_force.samples.fingerprint() == Some(policy.fingerprint));
        let Some(state) = state else {
            return Err(Failure::finding(format!(
                "{url}: this Envoy has another configuration in force than the file: it can't tell how {name} does"
            )));
        };
        if found.is_some_and(|it| it.weights != state.weights || it.step != state.step) {
            return Err(Failure::finding(format!(
                "{url}: the Envoys differ in the weights of {name}: name one, or wait"
            )));
        }
        found = Some(state);
    }
    Ok(found)
}

fn edited(file: &ConfigFile, plan: &Plan) -> Result<Source, Failure> {
    if plan.edits.is_empty() {
        return Ok(file.source.clone());
    }
    let edited = file.source.edited(&plan.edits);
    edited.map_err(|error| Failure::source(&file.name, &error))
}

/// Fingerprint and rollout of what comes of a plan, and the weights in force with it, which must be those that were meant.
fn outcome(
    file: &ConfigFile,
    edited: &Source,
    plan: &Plan,
    subject: &Subject<'_>,
) -> Result<(u32, Rollout, Weights), Failure> {
    let policy = parse(edited).map_err(|problems| {
        let lines = problems.iter().map(|problem| problem.line(&file.name));
        let lines: Vec<String> = lines.collect();
        Failure::finding(format!(
            "{}: nothing is written, for the filter would reject the new version:\n{}",
            subject.name(),
            lines.join("\n")
        ))
    })?;
    let index = policy.named(subject.name());
    let rollout = index.and_then(|index| policy.rollouts.get(index));
    let rollout = rollout.unwrap_or(subject.rollout);
    let weights = rollout.weights_at(subject.now_ms, RolloutStatus::default());
    let weights = if plan.edits.is_empty() {
        subject.live.map_or(weights, |live| live.weights)
    } else {
        weights
    };
    match plan.expected {
        Some(expected) if expected != weights => Err(Failure::finding(format!(
            "{}: nothing is written, for {} would be in force instead of {}",
            subject.name(),
            weights_text(weights),
            weights_text(expected)
        ))),
        _ => Ok((policy.fingerprint, rollout.clone(), weights)),
    }
}

fn write(
    args: &MoveArgs,
    file: &ConfigFile,
    edited: &Source,
    admins: &[Admin],
    fingerprint: u32,
) -> Result<(), Failure> {
    let Some(path) = &file.path else {
        return Ok(());
    };
    let waiting: Vec<Waiting<'_>> = admins
        .iter()
        .map(Waiting::begin)
        .collect::<Result<_, _>>()?;
    Replacement::prepare(path, &file.source.text, &edited.text)?.commit()?;
    let mut waiting = waiting.iter();
    waiting.try_for_each(|envoy| envoy.until_taken(fingerprint, args.timeout))
}
