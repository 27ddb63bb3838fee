//! All Envoys that are looked at, and what happened.

use crate::live::envoy::{LiveEnvoy, Look};
use crate::live::event::{Event, EventKind};
use crate::live::rollout::Moment;
use crate::live::view::LiveView;
use std::collections::{BTreeMap, VecDeque};

/// What is looked at again and again.
#[derive(Clone, Debug)]
pub struct Live {
    envoys: Vec<LiveEnvoy>,
    events: VecDeque<Event>,
    /// How many events there have been.
    count: u64,
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
            count: 0,
        }
    }

    /// Takes a look at the Envoy of this index: an answer, or why there is none. Returns how many events are new.
    pub fn observe(&mut self, envoy: usize, moment: Moment, look: Result<Look, String>) -> usize {
        let Some(live) = self.envoys.get_mut(envoy) else {
            return 0;
        };
        let happened = live.observe(moment, look);
        let admin = live.admin.clone();
        let mut count = 0;
        for (rollout, kind) in happened {
            if !self.joins(&admin, moment.wall_ms, rollout.as_deref(), &kind) {
                self.events.push_back(Event {
                    at_ms: moment.wall_ms,
                    envoys: vec![admin.clone()],
                    rollout,
                    kind,
                });
                count += 1;
            }
        }
        while self.events.len() > Self::MAX_EVENTS {
            self.events.pop_front();
        }
        self.count = self.count.saturating_add(count as u64);
        count
    }

    /// Whether the same has just happened to another Envoy, and adds this one to it then.
    fn joins(&mut self, admin: &str, at_ms: u64, rollout: Option<&str>, kind: &EventKind) -> bool {
        let recent = self.events.iter_mut().rev();
        let mut recent = recent.take_while(|it| at_ms.saturating_sub(it.at_ms) <= Self::SAME_MS);
        let same = recent.find(|it| {
            let is_same = it.rollout.as_deref() == rollout && it.kind == *kind;
            is_same && it.envoys.iter().all(|it| it != admin)
        });
        same.map(|it| it.envoys.push(admin.to_owned())).is_some()
    }

    /// How many events there have been, those that are no longer kept too.
    pub const fn event_count(&self) -> u64 {
        self.count
    }

    /// The events that are kept, the oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.iter()
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
