//! All Envoys that are looked at, and what happened.

use crate::live::envoy::{LiveEnvoy, Look};
use crate::live::event::Event;
use crate::live::rollout::Moment;
use crate::live::view::LiveView;
use std::collections::{BTreeMap, VecDeque};

/// What is looked at again and again.
#[derive(Clone, Debug)]
pub struct Live {
    envoys: Vec<LiveEnvoy>,
    events: VecDeque<Event>,
}

// === impl Live ===

impl Live {
    /// So many events are kept.
    pub const MAX_EVENTS: usize = 500;

    /// What happens to several Envoys within this time is one event.
    const SAME_MS: u64 = 5_000;

    /// Envoys by their admin addresses, none of them looked at.
    pub fn new(admins: impl IntoIterator<Item = String>) -> Self {
        Self {
            envoys: admins.into_iter().map(LiveEnvoy::new).collect(),
            events: VecDeque::new(),
        }
    }

    /// Takes a look at the Envoy of this index: an answer, or why there is none. Returns what has happened there.
    pub fn observe(
        &mut self,
        envoy: usize,
        moment: Moment,
        look: Result<Look, String>,
    ) -> Vec<Event> {
        let Some(live) = self.envoys.get_mut(envoy) else {
            return Vec::new();
        };
        let happened = live.observe(moment, look).into_iter();
        let admin = live.admin.clone();
        let events = happened.map(|(rollout, kind)| Event {
            at_ms: moment.wall_ms,
            envoys: vec![admin.clone()],
            rollout,
            kind,
        });
        let events: Vec<Event> = events.collect();
        events.iter().for_each(|event| self.keep(event));
        events
    }

    /// Adds an event, or its Envoy to that of another to which the same has just happened.
    fn keep(&mut self, event: &Event) {
        let recent = self.events.iter_mut().rev();
        let mut recent =
            recent.take_while(|it| event.at_ms.saturating_sub(it.at_ms) <= Self::SAME_MS);
        let same = recent.find(|it| {
            let is_same = it.rollout == event.rollout && it.kind == event.kind;
            is_same && it.envoys.iter().all(|it| !event.envoys.contains(it))
        });
        match same {
            Some(same) => same.envoys.extend_from_slice(&event.envoys),
            None => self.events.push_back(event.clone()),
        }
        if self.events.len() > Self::MAX_EVENTS {
            self.events.pop_front();
        }
    }

    /// All there is to show at this time, in milliseconds since 1970.
    pub fn view(&self, now_ms: u64) -> LiveView {
        let common = self.common_fingerprint();
        let envoys: Vec<_> = self
            .envoys
            .iter()
            .map(|it| it.view(now_ms, common))
            .collect();
        LiveView {
            at_ms: now_ms,
            differ: envoys.iter().any(|it| it.differs),
            envoys,
            events: self.events.iter().cloned().collect(),
        }
    }

    /// The fingerprint that most Envoys have; of two as many, that of the Envoy that was named first.
    fn common_fingerprint(&self) -> Option<u32> {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        let present = || self.envoys.iter().filter_map(LiveEnvoy::fingerprint);
        for fingerprint in present() {
            *counts.entry(fingerprint).or_default() += 1;
        }
        let most = counts.values().max()?;
        present().find(|it| counts.get(it) == Some(most))
    }
}
