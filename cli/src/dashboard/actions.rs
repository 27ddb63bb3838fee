//! The operator's moves, as the page asks for them: first what one would change, then the move itself.

use crate::clock::now_ms;
use crate::commands::diff::{Side, compare};
use crate::dashboard::token::hex;
use crate::envoy::admin::Admin;
use crate::failure::Failure;
use crate::file::config_file::parse;
use crate::moves::kind::Move;
use crate::moves::prepared::Prepared;
use crate::moves::taken::Waiting;
use crate::moves::undoing::Undoing;
use crate::source::document::Source;
use bluegreen::{Color, Percent, Sha256Digest, Weights};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// A move that is asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    #[serde(rename = "move")]
    name: Name,
    /// The rollout; none for `undo`, which goes back to a version of the file.
    rollout: Option<String>,
    /// For `shift`: percent of green.
    green: Option<String>,
    /// For `shift`: whether a ramp is taken out.
    #[serde(default)]
    end_ramp: bool,
    /// Of what was shown before it was confirmed.
    digest: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Shift,
    Rollback,
    Promote,
    PromoteFull,
    Pause,
    Resume,
    Swap,
    Undo,
}

/// A move that is ready to be written.
enum Ready {
    Move(Box<Prepared>),
    Undo(Box<Undoing>),
}

/// Why a move is not made.
#[derive(Debug)]
pub enum Refused {
    /// It would no longer change what was shown.
    Stale,
    /// It can't be made.
    Failed(Failure),
}

const TAKEN_WITHIN: Duration = Duration::from_secs(10);

// === impl Wanted ===

impl Wanted {
    /// Reads what the page sends.
    ///
    /// # Errors
    /// Where it is no move.
    pub fn parse(json: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(json).map_err(|error| Failure::usage(error.to_string()))
    }

    /// What it would change.
    ///
    /// # Errors
    /// Where it can't be made.
    pub fn preview(&self, file: &Path, admins: &[Admin]) -> Result<Value, Failure> {
        Ok(self.prepare(file, admins)?.json())
    }

    /// Makes it, where it still changes what was shown: it is planned anew, since the time and what Envoys show belong to
    /// it. Then waits until they have taken it up.
    ///
    /// # Errors
    /// Where nothing was written.
    pub fn make(&self, file: &Path, admins: &[Admin]) -> Result<Value, Refused> {
        let ready = self.prepare(file, admins)?;
        if self.digest.as_ref() != Some(&ready.digest()) {
            return Err(Refused::Stale);
        }
        let waiting: Vec<_> = admins.iter().map(|it| (it, Waiting::begin(it))).collect();
        ready.write()?;
        let fingerprint = ready.fingerprint();
        let envoys: Vec<Value> = thread::scope(|scope| {
            let all: Vec<_> = waiting
                .into_iter()
                .map(|(admin, begun)| {
                    let wait = move || begun?.until_taken(fingerprint, TAKEN_WITHIN);
                    (admin, scope.spawn(wait))
                })
                .collect();
            let taken = all.into_iter().map(|(admin, wait)| {
                let why = match wait.join() {
                    Ok(Ok(())) => None,
                    Ok(Err(failure)) => Some(failure.message),
                    Err(_) => Some(format!("{}: not known", admin.url)),
                };
                json!({ "admin": admin.url, "why": why })
            });
            taken.collect()
        });
        let mut made = ready.json();
        if let Some(fields) = made.as_object_mut() {
            fields.insert("envoys".to_owned(), envoys.into());
        }
        Ok(made)
    }

    fn prepare(&self, file: &Path, admins: &[Admin]) -> Result<Ready, Failure> {
        let wanted = match self.name {
            Name::Undo => return Ok(Ready::Undo(Box::new(Undoing::new(file)?))),
            Name::Shift => Move::Shift {
                weights: self.weights()?,
                end_ramp: self.end_ramp,
            },
            Name::Rollback => Move::Rollback,
            Name::Promote => Move::Promote,
            Name::PromoteFull => Move::PromoteFull,
            Name::Pause => Move::Pause,
            Name::Resume => Move::Resume,
            Name::Swap => Move::Swap,
        };
        let rollout = self.rollout.as_deref();
        Prepared::new(file, rollout, admins, now_ms(), None, wanted)
            .map(|it| Ready::Move(Box::new(it)))
    }

    fn weights(&self) -> Result<Weights, Failure> {
        let text = self.green.as_deref().unwrap_or_default();
        let green = Percent::parse(text)
            .map_err(|error| Failure::usage(format!("percent of green: {error}")))?;
        Ok(Weights::giving(Color::Green, green))
    }
}

// === impl Ready ===

impl Ready {
    fn write(&self) -> Result<(), Failure> {
        match self {
            Self::Move(prepared) if !prepared.is_changed() => Ok(()),
            Self::Move(prepared) => prepared.write(),
            Self::Undo(undoing) if !undoing.is_changed() => Ok(()),
            Self::Undo(undoing) => undoing.write(),
        }
    }

    const fn fingerprint(&self) -> u32 {
        match self {
            Self::Move(prepared) => prepared.fingerprint,
            Self::Undo(undoing) => undoing.policy.fingerprint,
        }
    }

    fn json(&self) -> Value {
        let mut json = match self {
            Self::Move(prepared) => prepared.json(false),
            Self::Undo(undoing) => undone(undoing),
        };
        let text = match self {
            Self::Move(prepared) => prepared.text(),
            Self::Undo(undoing) => undone_text(undoing),
        };
        if let Some(fields) = json.as_object_mut() {
            fields.remove("written");
            fields.insert("text".to_owned(), text.into());
            fields.insert("digest".to_owned(), self.digest().into());
        }
        json
    }

    /// The same only while the file and all that was shown but times are the same.
    fn digest(&self) -> String {
        let shown = match self {
            Self::Move(prepared) => {
                json!([
                    prepared.file.source.text,
                    prepared.text(),
                    crate::show::weights_json(prepared.before),
                ])
            }
            Self::Undo(undoing) => json!([undoing.now, undoing.before.text]),
        };
        hex(Sha256Digest::of(shown.to_string().as_bytes()).as_bytes())
    }
}

fn undone(undoing: &Undoing) -> Value {
    json!({
        "file": undoing.name,
        "changed": undoing.is_changed(),
        "diff": undoing.diff(),
    })
}

/// Who moves, where the version that is replaced is valid.
fn undone_text(undoing: &Undoing) -> String {
    let now = Source::read(undoing.now.clone()).ok();
    let now = now.and_then(|now| Some(Side::new(parse(&now).ok()?, now.json)));
    let before = Side::new(undoing.policy.clone(), undoing.before.json.clone());
    let report = now.and_then(|now| compare(&now, &before, now_ms()).ok());
    report.map_or_else(
        || "the file as it is now is not valid, the version before is\n".to_owned(),
        |report| report.text,
    )
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
