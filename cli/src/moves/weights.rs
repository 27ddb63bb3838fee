//! The moves that set weights and take the ramp out: shift, rollback, swap, promote --full.

use crate::failure::Failure;
use crate::json::edits::{insert_after, remove_fields, replace};
use crate::json::tree::Tree;
use crate::moves::plan::Plan;
use crate::moves::subject::Subject;
use crate::source::layer::Edit;
use bluegreen::{Color, Percent, Weights};

/// What the operator should know where `shadow` is taken out.
pub const NO_COPIES: &str = "requests are no longer copied: shadow is taken out";

/// Sets the weights. A ramp would decide them itself: it is taken out where that is asked for.
///
/// # Errors
/// Where there is a ramp, and it is to stay.
pub fn shift(subject: &Subject<'_>, weights: Weights, end_ramp: bool) -> Result<Plan, Failure> {
    let name = subject.name();
    if subject.tree.get("ramp").is_none() {
        return Ok(Plan::new(set_weights(subject, weights), weights));
    }
    if !end_ramp {
        return Err(Failure::finding(format!(
            "{name}: its ramp decides the weight: --end-ramp takes the ramp out, `bluegreen pause` keeps the weight \
             in force, `bluegreen promote` goes to the next step"
        )));
    }
    Ok(Plan::new(alone(subject, weights), weights).note("the ramp is taken out"))
}

/// Gives the stable color everything, so that it stays so whatever happens to an Envoy. The canary gets no copies of
/// requests either.
pub fn rollback(subject: &Subject<'_>) -> Plan {
    let weights = Weights::giving(subject.rollout.stable, Percent::HUNDRED);
    ended(subject, weights, &["ramp", "shadow"])
}

/// Gives the canary everything.
pub fn promote_full(subject: &Subject<'_>) -> Plan {
    let weights = Weights::giving(subject.canary(), Percent::HUNDRED);
    ended(subject, weights, &["ramp"])
}

/// These weights, without these fields.
fn ended(subject: &Subject<'_>, weights: Weights, fields: &[&str]) -> Plan {
    let mut edits = set_weights(subject, weights);
    edits.extend(remove_fields(subject.tree, fields));
    let mut plan = Plan::new(edits, weights);
    for (field, note) in [("ramp", "the ramp is taken out"), ("shadow", NO_COPIES)] {
        if fields.contains(&field) && subject.tree.get(field).is_some() {
            plan = plan.note(note);
        }
    }
    plan
}

/// Makes the canary the stable color. The weights in force stay, the ramp is over, and the release before gets no copies
/// of requests.
///
/// # Errors
/// Where the weights in force are not known.
pub fn swap(subject: &Subject<'_>) -> Result<Plan, Failure> {
    let weights = subject.weights()?;
    let canary = subject.canary();
    let mut plan = ended(subject, weights, &["ramp", "shadow"]);
    let stable = format!("{:?}", canary.as_str());
    plan.edits.extend(match subject.tree.get("stable") {
        Some(present) => Some(replace(present, stable)),
        None => insert_after(
            subject.json,
            subject.tree,
            "weights",
            &format!("\"stable\": {stable}"),
        ),
    });
    let is_stable = format!("{} is stable now", canary.as_str());
    plan.notes.insert(0, is_stable);
    Ok(match weights.of(canary.other()) {
        Percent::ZERO => plan,
        left => plan.note(format!(
            "{} still has {left} %, and is the canary from now on",
            canary.other().as_str()
        )),
    })
}

/// These weights, and no ramp.
pub fn alone(subject: &Subject<'_>, weights: Weights) -> Vec<Edit> {
    let mut edits = set_weights(subject, weights);
    edits.extend(remove_fields(subject.tree, &["ramp"]));
    edits
}

fn set_weights(subject: &Subject<'_>, weights: Weights) -> Vec<Edit> {
    let present = subject.tree.get("weights");
    let edit = |color: Color| {
        let value = present?.get(color.as_str())?;
        let wanted = weights.of(color);
        let is_there = value.leaf().map(Percent::parse) == Some(Ok(wanted));
        (!is_there).then(|| replace(value, wanted.to_string()))
    };
    Color::ALL.into_iter().filter_map(edit).collect()
}

/// Raises the weight at which the ramp waits for the quality gate.
pub fn raise_hold(quality: &Tree, to: Percent) -> Option<Edit> {
    let hold_at = quality.get("hold_at")?;
    let present = Percent::parse(hold_at.leaf()?).ok()?;
    (present < to).then(|| replace(hold_at, to.to_string()))
}
