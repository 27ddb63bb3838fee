//! A move that is planned and checked, and not made yet.

use crate::envoy::admin::Admin;
use crate::envoy::in_force::{InForce, RolloutState};
use crate::failure::Failure;
use crate::file::config_file::{ConfigFile, parse};
use crate::file::replacement::Replacement;
use crate::json::tree::Tree;
use crate::moved::Moved;
use crate::moves::kind::Move;
use crate::moves::plan::Plan;
use crate::moves::subject::Subject;
use crate::nearest::nearest;
use crate::show::{unified_diff, weights_json, weights_text};
use crate::source::document::Source;
use bluegreen::{Policy, Rollout, RolloutName, RolloutStatus, Weights};
use serde_json::{Value, json};
use std::path::Path;

/// A move, and what comes of it.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The file as it is.
    pub file: ConfigFile,
    /// The file as it will be.
    pub edited: Source,
    /// The fingerprint of the configuration that it will have.
    pub fingerprint: u32,
    /// The rollout's name.
    pub rollout: String,
    /// The weights in force before.
    pub before: Weights,
    /// The weights in force afterwards.
    pub after: Weights,
    /// Who moves.
    pub moved: Moved,
    /// What the operator should know.
    pub notes: Vec<String>,
}

// === impl Prepared ===

impl Prepared {
    /// Reads the file and plans a move. Nothing is written. `step` is the ramp's step in force, where the operator says it.
    ///
    /// # Errors
    /// Where the file can't be read, and where the move can't be made.
    pub fn new(
        path: &Path,
        rollout: Option<&str>,
        admins: &[Admin],
        now_ms: u64,
        step: Option<usize>,
        wanted: Move,
    ) -> Result<Self, Failure> {
        let file = ConfigFile::open(path)?;
        let policy = file.policy()?;
        let index = find(&policy, rollout, &file.name)?;
        let document = Tree::parse(&file.source.json);
        let items = document.as_ref().and_then(|tree| tree.get("rollouts"));
        let items = items.map(Tree::items).unwrap_or_default();
        let found = policy.rollouts.get(index).zip(items.get(index));
        let (rollout, tree) = found.ok_or_else(|| Failure::finding("the rollout is not there"))?;
        let live = live(admins, &policy, &rollout.name);
        let live = if wanted.needs_step() {
            live?
        } else {
            live.unwrap_or_default()
        };
        let subject = Subject {
            rollout,
            tree,
            json: &file.source.json,
            now_ms,
            live,
            step,
        };
        let plan = wanted.plan(&subject)?;
        let edited = edited(&file, &plan)?;
        let (fingerprint, new, after) = outcome(&file, &edited, &plan, &subject)?;
        let before = live.map_or_else(|| subject.weights_by_file(), |it| it.weights);
        let moved = Moved::count(rollout, &new, before, after);
        let rollout = subject.name().to_owned();
        Ok(Self {
            edited,
            fingerprint,
            rollout,
            before,
            after,
            moved,
            notes: plan.notes,
            file,
        })
    }

    /// Whether there is anything to write.
    pub fn is_changed(&self) -> bool {
        self.edited.text != self.file.source.text
    }

    /// Whether there is a file to write to: standard input is none.
    pub const fn is_file(&self) -> bool {
        self.file.path.is_some()
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// Where it can't be written, or someone else has changed it meanwhile.
    pub fn write(&self) -> Result<(), Failure> {
        let Some(path) = &self.file.path else {
            return Ok(());
        };
        Replacement::prepare(path, &self.file.source.text, &self.edited.text)?.commit()
    }

    /// What changes in the file, as a unified diff.
    pub fn diff(&self) -> String {
        unified_diff(&self.file.name, &self.file.source.text, &self.edited.text)
    }

    /// What comes of it, on one line.
    pub fn text(&self) -> String {
        let notes: String = self.notes.iter().map(|note| format!("; {note}")).collect();
        let (name, shown) = (&self.rollout, weights_text(self.after));
        if self.is_changed() {
            format!("{name}: {shown}; {}{notes}\n", self.moved.text())
        } else {
            format!("{name}: nothing to change, {shown}{notes}\n")
        }
    }

    /// The same for programs.
    pub fn json(&self, is_written: bool) -> Value {
        let [to_green, to_blue] = self.moved.percent();
        // Of standard input the new version goes nowhere else.
        let new = (!self.is_file()).then_some(&self.edited.text);
        json!({
            "file": self.file.name,
            "text": new,
            "rollout": self.rollout,
            "changed": self.is_changed(),
            "written": is_written,
            "before": weights_json(self.before),
            "after": weights_json(self.after),
            "blue_to_green_percent": to_green,
            "green_to_blue_percent": to_blue,
            "notes": self.notes,
            "diff": self.diff(),
        })
    }
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
