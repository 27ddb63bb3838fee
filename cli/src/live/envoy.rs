//! One Envoy: whether it answers, what it has in force, and its rollouts.

use crate::live::event::EventKind;
use crate::live::rollout::{LiveRollout, Moment, is_configured};
use crate::live::scrape::Scrape;
use crate::live::view::{EnvoyView, Link, RolloutView};
use bluegreen::Policy;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An Envoy that is looked at again and again.
#[derive(Clone, Debug, Default)]
pub struct LiveEnvoy {
    /// Its admin address.
    pub admin: String,
    link: Link,
    why: Option<String>,
    /// The last answer.
    last: Option<Look>,
    rollouts: BTreeMap<String, LiveRollout>,
    /// The names of those that are configured, in order.
    order: Vec<String>,
}

/// An answer of an Envoy.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Its stats.
    pub scrape: Scrape,
    /// The configuration in force, where Envoy shows it.
    pub policy: Option<Arc<Policy>>,
}

/// Something that happened, and to which rollout.
pub type Happened = (Option<String>, EventKind);

// === impl LiveEnvoy ===

impl LiveEnvoy {
    /// One that has not been looked at.
    pub fn new(admin: impl Into<String>) -> Self {
        Self {
            admin: admin.into(),
            ..Self::default()
        }
    }

    /// Takes a look: an answer, or why there is none. Tells what has changed since the last one.
    pub fn observe(&mut self, moment: Moment, look: Result<Look, String>) -> Vec<Happened> {
        match look {
            Ok(look) => self.answer(moment, look),
            Err(why) => {
                let was_up = self.link == Link::Up;
                self.link = Link::Lost;
                self.why = Some(why.clone());
                if was_up {
                    vec![(None, EventKind::EnvoyLost { why })]
                } else {
                    Vec::new()
                }
            }
        }
    }

    fn answer(&mut self, moment: Moment, look: Look) -> Vec<Happened> {
        let mut events = self.changes(&look);
        self.link = Link::Up;
        self.why = None;
        let scrape = &look.scrape;
        let is_there = scrape.fingerprint.is_some();
        self.order = match &look.policy {
            Some(policy) => policy
                .rollouts
                .iter()
                .map(|it| it.name.as_str().to_owned())
                .collect(),
            None => {
                let shown = scrape.rollouts.iter().filter(|_| is_there);
                let shown = shown.filter(|(_, it)| is_configured(it));
                shown.map(|(name, _)| name.clone()).collect()
            }
        };
        for name in &self.order {
            let Some(shown) = scrape.rollouts.get(name) else {
                continue;
            };
            let index = look.policy.as_ref().and_then(|policy| policy.named(name));
            let rollout = look.policy.as_ref().zip(index);
            let rollout = rollout.and_then(|(policy, index)| policy.rollouts.get(index));
            let live = self.rollouts.entry(name.clone()).or_default();
            let kinds = live.observe(name, moment, shown, rollout);
            events.extend(kinds.into_iter().map(|kind| (Some(name.clone()), kind)));
        }
        let order = &self.order;
        self.rollouts.retain(|name, _| order.contains(name));
        self.last = Some(look);
        events
    }

    /// What has changed but for rollouts.
    fn changes(&mut self, look: &Look) -> Vec<Happened> {
        let Some(last) = &self.last else {
            return Vec::new();
        };
        let mut kinds = Vec::new();
        let has_restarted = look.scrape.uptime_s < last.scrape.uptime_s;
        if self.link == Link::Lost {
            kinds.push(EventKind::EnvoyBack);
        }
        if has_restarted {
            kinds.push(EventKind::EnvoyRestarted);
            self.rollouts.values_mut().for_each(LiveRollout::restart);
        } else if look.scrape.rejected > last.scrape.rejected {
            kinds.push(EventKind::ConfigRejected);
        }
        match look.scrape.fingerprint {
            None if last.scrape.fingerprint.is_some() => kinds.push(EventKind::FilterLost),
            Some(fingerprint) if last.scrape.fingerprint != Some(fingerprint) => {
                let version = look.policy.as_ref().and_then(|it| it.version.clone());
                kinds.push(EventKind::ConfigPushed {
                    version,
                    fingerprint,
                });
            }
            _ => {}
        }
        kinds.into_iter().map(|kind| (None, kind)).collect()
    }

    /// The fingerprint of the configuration in force, where the Envoy answers.
    pub fn fingerprint(&self) -> Option<u32> {
        let last = self.last.as_ref().filter(|_| self.link == Link::Up)?;
        last.scrape.fingerprint
    }

    /// How it does. `common` is the fingerprint that most have.
    pub fn view(&self, now_ms: u64, common: Option<u32>) -> EnvoyView {
        let policy = self.last.as_ref().and_then(|it| it.policy.as_ref());
        let view = |name: &String| -> Option<RolloutView> {
            let index = policy.and_then(|policy| policy.named(name));
            let rollout = policy.zip(index);
            let rollout = rollout.and_then(|(policy, index)| policy.rollouts.get(index));
            self.rollouts.get(name)?.view(name, now_ms, rollout)
        };
        let is_up = self.link == Link::Up;
        EnvoyView {
            admin: self.admin.clone(),
            link: self.link,
            why: self.why.clone(),
            version: policy.and_then(|it| it.version.clone()),
            fingerprint: self.last.as_ref().and_then(|it| it.scrape.fingerprint),
            differs: is_up && self.fingerprint() != common,
            rejected: self.last.as_ref().map_or(0, |it| it.scrape.rejected),
            rollouts: self.order.iter().filter_map(view).collect(),
        }
    }
}
