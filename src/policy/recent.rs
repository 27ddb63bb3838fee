//! What went on in a rollout of late, request by request, as one VM publishes it to the others.

use crate::analysis::incident::{Incident, IncidentKind};
use crate::analysis::latency::LatencyCounts;
use crate::value::bucket::Bucket;
use crate::value::color::{Color, PerColor};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Requests of one generation that began, and that went wrong, within the last seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RawRecent", into = "RawRecent")]
pub struct Recent {
    generation: u64,
    /// Rises each time it may have been published.
    turn: u64,
    starts: VecDeque<(u64, PerColor<u32>)>,
    incidents: VecDeque<(u64, Incident)>,
    /// How long the stable color's responses took, since the generation began.
    latencies: LatencyCounts,
}

/// What has changed in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecentDelta {
    /// The generation that it belongs to.
    pub generation: u64,
    /// Requests of a color that began in a second.
    pub starts: Vec<(u64, Color, i64)>,
    /// What went wrong.
    pub incidents: Vec<Incident>,
    /// How long the stable color's responses took.
    pub latencies: LatencyCounts,
}

/// As it is written, by position: with names it would take three times the room.
#[derive(Default, Serialize, Deserialize)]
struct RawRecent {
    generation: u64,
    turn: u64,
    /// Second, blue, green.
    starts: Vec<(u64, u32, u32)>,
    /// Turn, whether it was slow (and not failed), second, whether it was green, bucket of the user, count.
    incidents: Vec<(u64, bool, u64, bool, Option<u32>, u32)>,
    /// Bucket, count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    latencies: Vec<(usize, u64)>,
}

// === impl Recent ===

impl Recent {
    /// Readers read at least once in so many turns.
    const TURNS: u64 = 15;
    const SECONDS: usize = 10;
    /// Of one turn so many kinds of incidents of users are told apart.
    const MAX_PER_TURN: usize = 32;

    /// Is about this generation from now on.
    pub fn begin(&mut self, generation: u64) {
        if self.generation != generation {
            *self = Self {
                generation,
                turn: self.turn,
                ..Self::default()
            };
        }
    }

    /// Whether there is nothing to publish.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty() && self.incidents.is_empty()
    }

    /// A request of a color began in a second.
    pub fn start(&mut self, second: u64, color: Color) {
        if self.starts.back().is_none_or(|&(last, _)| last != second) {
            self.starts.push_back((second, PerColor::default()));
        }
        if self.starts.len() > Self::SECONDS {
            self.starts.pop_front();
        }
        if let Some((_, starts)) = self.starts.back_mut() {
            let starts = starts.of_mut(color);
            *starts = starts.saturating_add(1);
        }
    }

    /// Takes a request that began in a second out, if that is not too long ago: it is no evidence about its color.
    pub fn take_back(&mut self, second: u64, color: Color) {
        let mut starts = self.starts.iter_mut().rev();
        if let Some((_, starts)) = starts.find(|(it, _)| *it == second) {
            let starts = starts.of_mut(color);
            *starts = starts.saturating_sub(1);
        }
    }

    /// A request went wrong. Where there are too many in one turn, the stable color's count without their users, and the
    /// canary's do not count: without its user a request would count against the canary as if it were another user's.
    pub fn add(&mut self, incident: Incident, is_canary: bool) {
        let turn = self.turn;
        let this_turn = self.incidents.iter_mut().rev();
        let mut kinds = 0_usize;
        for (_, known) in this_turn.take_while(|(it, _)| *it == turn) {
            kinds = kinds.saturating_add(1);
            if known.is_like(&incident) {
                known.count = known.count.saturating_add(incident.count);
                return;
            }
        }
        if kinds < Self::MAX_PER_TURN || incident.user.is_none() {
            self.incidents.push_back((turn, incident));
        } else if !is_canary {
            let user = None;
            self.add(Incident { user, ..incident }, is_canary);
        }
    }

    /// A response of the stable color took so long.
    pub fn add_latency(&mut self, ns: u64) {
        self.latencies.add(ns);
    }

    /// What follows is kept apart from what came before, which is forgotten after some turns.
    pub fn end_turn(&mut self) {
        self.end_turn_of(Self::TURNS);
    }

    /// Adds what went on at a VM, so that all VMs are published to the other proxies at once. So many seconds
    /// are kept.
    pub fn absorb(&mut self, delta: &RecentDelta, canary: Color, seconds: usize) {
        for &(second, color, count) in &delta.starts {
            let place = self.starts.partition_point(|&(it, _)| it < second);
            if self.starts.get(place).is_none_or(|&(it, _)| it != second) {
                self.starts.insert(place, (second, PerColor::default()));
            }
            if let Some((_, starts)) = self.starts.get_mut(place) {
                let starts = starts.of_mut(color);
                let sum = i64::from(*starts).saturating_add(count);
                *starts = u32::try_from(sum.max(0)).unwrap_or(u32::MAX);
            }
        }
        while self.starts.len() > seconds {
            self.starts.pop_front();
        }
        for incident in &delta.incidents {
            self.add(*incident, incident.color == canary);
        }
        for (bucket, count) in delta.latencies.iter() {
            self.latencies.add_count(bucket, count);
        }
    }

    /// As [`Recent::end_turn`], where readers read as rarely as once in so many turns.
    pub fn end_turn_of(&mut self, turns: u64) {
        const MAX_INCIDENTS: usize = 512;
        self.turn = self.turn.saturating_add(1);
        let oldest = self.turn.saturating_sub(turns);
        let is_old = |it: &(u64, Incident)| it.0 < oldest;
        while self.incidents.len() > MAX_INCIDENTS || self.incidents.front().is_some_and(is_old) {
            self.incidents.pop_front();
        }
    }

    /// What has come since `before` was read.
    pub fn since(&self, before: &Self) -> RecentDelta {
        let none = Self::default();
        let is_same = before.generation == self.generation && before.turn <= self.turn;
        let before = if is_same { before } else { &none };
        let mut delta = RecentDelta {
            generation: self.generation,
            latencies: self.latencies.since(&before.latencies),
            ..RecentDelta::default()
        };
        for (second, starts) in &self.starts {
            let mut known = before.starts.iter();
            let known = known.find(|(it, _)| it == second).map(|(_, known)| known);
            for color in Color::ALL {
                let known = known.map_or(0, |known| *known.of(color));
                let new = i64::from(*starts.of(color)).saturating_sub(known.into());
                if new != 0 {
                    delta.starts.push((*second, color, new));
                }
            }
        }
        let new = self
            .incidents
            .iter()
            .filter(|(turn, _)| !is_same || *turn > before.turn);
        delta.incidents.extend(new.map(|(_, incident)| *incident));
        delta
    }
}

// === impl RawRecent ===

impl From<Recent> for RawRecent {
    fn from(recent: Recent) -> Self {
        let starts = recent.starts.iter();
        let incidents = recent.incidents.iter().map(|(turn, it)| {
            let is_slow = it.kind == IncidentKind::Slow;
            let is_green = it.color == Color::Green;
            let user = it.user.map(Bucket::number);
            (*turn, is_slow, it.began_s, is_green, user, it.count)
        });
        Self {
            generation: recent.generation,
            turn: recent.turn,
            starts: starts
                .map(|(second, it)| (*second, it.blue, it.green))
                .collect(),
            incidents: incidents.collect(),
            latencies: recent.latencies.iter().collect(),
        }
    }
}

impl From<RawRecent> for Recent {
    fn from(raw: RawRecent) -> Self {
        let starts = raw.starts.into_iter();
        let incidents = raw.incidents.into_iter();
        let incidents = incidents.map(|(turn, is_slow, began_s, is_green, user, count)| {
            let incident = Incident {
                kind: if is_slow {
                    IncidentKind::Slow
                } else {
                    IncidentKind::Failed
                },
                began_s,
                color: if is_green { Color::Green } else { Color::Blue },
                user: user.and_then(Bucket::new),
                count,
            };
            (turn, incident)
        });
        let mut latencies = LatencyCounts::default();
        for (bucket, count) in raw.latencies {
            latencies.add_count(bucket, count);
        }
        Self {
            generation: raw.generation,
            turn: raw.turn,
            starts: starts
                .map(|(second, blue, green)| (second, PerColor { blue, green }))
                .collect(),
            incidents: incidents.collect(),
            latencies,
        }
    }
}
