//! What all workers of an Envoy must agree on, as text that they share: which rollouts are rolled
//! back, which ramps are let on, and from which counts each release began.

use crate::analysis::guard::Cause;
use crate::analysis::quality::{Outcome, Outcomes};
use crate::value::color::{Color, PerColor};
use crate::value::name::{ReleaseLabel, RolloutName};
use std::collections::HashMap;
use std::fmt::Write as _;
use xxhash_rust::xxh64::Xxh64Builder;

/// One line for each fact: the rollout's name, what kind of fact it is, and its values. The label of
/// a release stands last, since it may hold spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedState {
    entries: HashMap<String, Entry, Xxh64Builder>,
}

/// What is known of one rollout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The digest of the rollout that was rolled back, and why.
    pub trip: Option<(u64, Cause)>,
    /// The digest of the gate that was passed, and when, in milliseconds since 1970.
    pub promoted: Option<(u64, u64)>,
    /// What each color runs.
    pub releases: PerColor<Option<Release>>,
}

/// A fact about a configuration, if it is one about the configuration of this digest.
pub fn about<T>(fact: Option<(u64, T)>, digest: u64) -> Option<(u64, T)> {
    fact.filter(|&(other, _)| other == digest)
}

/// Writes a fact about the configuration of this digest, where there is none yet. Says whether it did.
pub fn write_once<T: Copy>(fact: &mut Option<(u64, T)>, digest: u64, value: T) -> bool {
    let is_new = about(*fact, digest).is_none();
    if is_new {
        *fact = Some((digest, value));
    }
    is_new
}

/// What a color runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// Its label; empty where the configuration gives none.
    pub label: String,
    /// The outcomes that were counted before it.
    pub before: Outcomes,
}

// === impl SharedState ===

impl SharedState {
    /// Reads what [`SharedState::render`] wrote. Lines that are no facts are passed over.
    pub fn parse(text: &[u8]) -> Self {
        let mut ledger = Self::default();
        for line in String::from_utf8_lossy(text).lines() {
            let _ = ledger.read(line);
        }
        ledger
    }

    /// Writes the ledger.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (name, entry) in &self.entries {
            if let Some((digest, cause)) = entry.trip {
                let _ = writeln!(text, "{name} trip {digest} {}", cause.as_str());
            }
            if let Some((digest, at_ms)) = entry.promoted {
                let _ = writeln!(text, "{name} promoted {digest} {at_ms}");
            }
            for color in Color::ALL {
                if let Some(Release { label, before }) = entry.releases.of(color) {
                    let Outcomes { tp, fp, fn_, tn } = before;
                    let color = color.as_str();
                    let _ = writeln!(text, "{name} {color} {tp} {fp} {fn_} {tn} {label}");
                }
            }
        }
        text
    }

    /// What is known of a rollout.
    pub fn entry(&self, name: &RolloutName) -> Option<&Entry> {
        self.entries.get(name.as_str())
    }

    /// Ends the verdicts on rollouts that are there no longer. Their releases stay: where they come
    /// back under the same label, so do their counts. Says whether there was something to end.
    pub fn end_verdicts(&mut self, is_gone: impl Fn(&str) -> bool) -> bool {
        let mut ended = false;
        for (_, entry) in self.entries.iter_mut().filter(|(name, _)| is_gone(name)) {
            ended |= entry.trip.take().is_some() | entry.promoted.take().is_some();
        }
        ended
    }

    /// What is known of a rollout, to change.
    pub fn entry_mut(&mut self, name: &RolloutName) -> &mut Entry {
        self.entries.entry(name.as_str().to_owned()).or_default()
    }

    fn read(&mut self, line: &str) -> Option<()> {
        let (name, rest) = line.split_once(' ')?;
        let (kind, rest) = rest.split_once(' ')?;
        let entry = self.entries.entry(name.to_owned()).or_default();
        match kind {
            "trip" => {
                let (digest, cause) = rest.split_once(' ')?;
                entry.trip = Some((digest.parse().ok()?, Cause::from_name(cause)?));
            }
            "promoted" => {
                let (digest, at_ms) = rest.split_once(' ')?;
                entry.promoted = Some((digest.parse().ok()?, at_ms.parse().ok()?));
            }
            color => {
                let color = Color::from_bytes(color.as_bytes())?;
                *entry.releases.of_mut(color) = Some(Release::read(rest)?);
            }
        }
        Some(())
    }
}

// === impl Entry ===

impl Entry {
    /// Begins a release of a color, where its label is another than before. `counted` are the color's
    /// outcomes until now.
    pub fn begin_release(
        &mut self,
        color: Color,
        label: Option<&ReleaseLabel>,
        counted: Outcomes,
    ) -> bool {
        let label = label.map_or("", ReleaseLabel::as_str);
        let release = self.releases.of_mut(color);
        if release.as_ref().is_some_and(|it| it.label == label) {
            return false;
        }
        *release = Some(Release {
            label: label.to_owned(),
            before: counted,
        });
        true
    }
}

// === impl Release ===

impl Release {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, ' ');
        let mut count = || parts.next()?.parse().ok();
        let before = Outcomes {
            tp: count()?,
            fp: count()?,
            fn_: count()?,
            tn: count()?,
        };
        let label = parts.next()?.to_owned();
        Some(Self { label, before })
    }

    /// The outcomes of this release, of those that were counted in all.
    pub fn since(&self, counted: Outcomes) -> Outcomes {
        Outcomes::from_fn(|kind: Outcome| counted.of(kind).saturating_sub(self.before.of(kind)))
    }
}
