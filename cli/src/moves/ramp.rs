//! The moves along a ramp: promote, pause, resume.

use crate::clock::show_time;
use crate::failure::Failure;
use crate::json::edits::{remove_field, remove_first_items, replace};
use crate::moves::plan::Plan;
use crate::moves::subject::Subject;
use crate::moves::weights::{NO_COPIES, alone, raise_hold};
use crate::ramp::RampView;
use crate::source::layer::Edit;

/// Leaves the step in force: the next one begins now. Where nobody tells which that is, it is the first that waits for
/// more than time.
///
/// # Errors
/// Where there is no step to leave, or it is not known which is in force.
pub fn promote(subject: &Subject<'_>) -> Result<Plan, Failure> {
    let name = subject.name();
    let ramp = subject.ramp().ok_or_else(|| {
        Failure::finding(format!(
            "{name}: there is no ramp to go along: `bluegreen shift` sets a weight, `bluegreen promote --full` gives \
             the canary everything"
        ))
    })?;
    if subject.may_wait_for_copies(&ramp) {
        return Ok(go_to(subject, &ramp, 0).note(
            "by the file the ramp waits for copies of requests; where Envoy is further, give --admin URL",
        ));
    }
    let waiting = subject.waiting_step(&ramp);
    let step = match waiting {
        Some(step) => Some(step),
        None => subject.step(&ramp)?,
    };
    let next = step.map_or(0, |step| step + 1);
    if next >= ramp.steps.len() {
        return Ok(Plan::nothing("the ramp is at its last step"));
    }
    let plan = go_to(subject, &ramp, next);
    Ok(match waiting {
        Some(step) => plan.note(format!(
            "by the file step {step} is the one that waits; where Envoy is further, give --admin URL"
        )),
        None => plan,
    })
}

/// Keeps the weight in force: the ramp begins with a step of that weight that is never left by itself. Steps that are
/// over are taken out, so that the ramp does not climb them again.
///
/// # Errors
/// Where it is not known which step is in force.
pub fn pause(subject: &Subject<'_>) -> Result<Plan, Failure> {
    let Some(ramp) = subject.ramp() else {
        return Ok(Plan::nothing(
            "there is no ramp: the weights stay as they are",
        ));
    };
    let step = subject.step(&ramp)?;
    let place = step.unwrap_or(0);
    let [Some(first), Some(present)] = [ramp.steps.first(), ramp.steps.get(place)] else {
        return Ok(Plan::default());
    };
    if present.is_paused {
        return Ok(Plan::nothing("the ramp is paused already"));
    }
    if step.is_some() && place + 1 == ramp.steps.len() {
        return Ok(Plan::nothing(
            "the ramp is at its last step: the weights stay as they are",
        ));
    }
    let weights = subject.weights()?;
    let weight = weights.of(subject.canary());
    let behind = ramp
        .steps
        .get(1)
        .map(|second| first.tree.range.end..second.tree.range.start);
    let behind = behind.and_then(|between| subject.json.get(between));
    let blanks = behind
        .and_then(|it| Some(it.split_once(',')?.1))
        .unwrap_or(" ");
    let edit = Edit {
        range: first.tree.range.start..present.tree.range.start,
        text: format!("{{ \"weight\": {weight}, \"pause\": true }},{blanks}"),
    };
    let plan = Plan::new(vec![edit], weights);
    let plan = match step {
        Some(_) => end_copies(subject, plan),
        None => plan,
    };
    Ok(match place {
        0 => plan,
        1 => plan.note("the step that is over is taken out of the ramp"),
        over => plan.note(format!(
            "the {over} steps that are over are taken out of the ramp"
        )),
    })
}

/// Leaves a step that is never left by itself. Where `pause` put it there, the step that was paused begins anew, and
/// nobody moves.
///
/// # Errors
/// Where it is not known which step is in force.
pub fn resume(subject: &Subject<'_>) -> Result<Plan, Failure> {
    let Some(ramp) = subject.ramp() else {
        return Ok(Plan::nothing("there is no ramp that could be paused"));
    };
    let step = subject.step(&ramp)?;
    let place = step.unwrap_or(0);
    if !ramp.steps.get(place).is_some_and(|step| step.is_paused) {
        return Ok(Plan::nothing("the ramp is not paused"));
    }
    if step.is_none() {
        let edits = remove_first_items(steps(&ramp), 1);
        return Ok(Plan::new(
            edits.into_iter().collect(),
            subject.rollout.weights,
        ));
    }
    Ok(go_to(subject, &ramp, place + 1))
}

/// Begins a step now, as the ramp's first. Where it is the last, the ramp is over.
fn go_to(subject: &Subject<'_>, ramp: &RampView<'_>, next: usize) -> Plan {
    let Some(step) = ramp.steps.get(next) else {
        return Plan::default();
    };
    let weights = subject.giving_canary(step.weight);
    if next + 1 == ramp.steps.len() {
        return Plan::new(alone(subject, weights), weights)
            .note("this is the ramp's last step: the ramp is taken out");
    }
    let mut edits: Vec<Edit> = remove_first_items(steps(ramp), next).into_iter().collect();
    let now = format!("{:?}", show_time(subject.now_ms));
    edits.extend(ramp.tree.get("start").map(|start| replace(start, now)));
    let hold = subject
        .tree
        .get("quality")
        .and_then(|it| raise_hold(it, step.weight));
    let plan = Plan::new(edits.into_iter().chain(hold.clone()).collect(), weights)
        .note(format!("{} steps are left", ramp.steps.len() - next));
    let plan = end_copies(subject, plan);
    match hold {
        Some(_) => plan.note(format!(
            "the quality gate waits at {} % from now on",
            step.weight
        )),
        None => plan,
    }
}

/// A ramp that was changed would wait for copies of requests anew before its first step.
fn end_copies(subject: &Subject<'_>, mut plan: Plan) -> Plan {
    if !subject.rollout.waits_for_copies() {
        return plan;
    }
    plan.edits.extend(remove_field(subject.tree, "shadow"));
    plan.note(NO_COPIES)
}

fn steps<'t>(ramp: &RampView<'t>) -> &'t crate::json::tree::Tree {
    ramp.tree.get("steps").unwrap_or(ramp.tree)
}
