//! One process of another proxy, as its key shows it.

use crate::analysis::incident::Incident;
use crate::fleet::etcd_response::KeyValue;
use crate::fleet::proxy_document::ProxyDocument;
use crate::policy::fleet_counts::FleetCounts;
use crate::policy::fleet_view::FleetView;
use crate::policy::recent::RecentDelta;

/// One process of another proxy.
#[derive(Debug)]
pub struct RemoteProxy {
    /// Its key.
    pub key: String,
    /// When its key was changed last.
    pub revision: u64,
    /// Its last document.
    pub document: ProxyDocument,
    /// How many documents were read.
    pub times: u32,
    /// When its last document was read, by this proxy's clock.
    seen_ms: u64,
    /// By how much this proxy's seconds are ahead of its.
    ahead_s: i64,
}

// === impl RemoteProxy ===

impl RemoteProxy {
    const MAX_BYTES: usize = 1_000_000;
    /// A proxy that has published nothing for so long is gone.
    const RETIRE_MS: u64 = 60_000;
    /// The key of one that is no more is kept for so long, so that one that was cut off finds it.
    const FORGET_MS: u64 = 3_600_000;

    /// Reads the document of a proxy, of which this much was `known` before, and adds what is new in it to the view.
    /// Nothing where its key can't be read.
    pub fn read(
        key: &str,
        kv: &KeyValue<'_>,
        known: Option<Self>,
        now_ms: u64,
        view: &mut FleetView,
    ) -> Option<Self> {
        let known = match known {
            Some(same) if same.revision == kv.mod_revision => return Some(same),
            other => other,
        };
        let document = ProxyDocument::read(&kv.value(Self::MAX_BYTES)?)?;
        let ahead_s = known.as_ref().map(|it| it.ahead_s);
        let ahead_s = ahead_s.unwrap_or_else(|| difference(now_ms / 1_000, document.second));
        let before = known.as_ref().filter(|it| !it.document.retired);
        let is_late = before.is_none_or(|it| !it.is_live(now_ms, document.interval_ms));
        let rollouts = document.rollouts.iter().filter(|_| !document.retired);
        for (name, rollout) in rollouts {
            let before = before.and_then(|it| it.document.rollouts.get(name));
            let counts = FleetCounts::from(&rollout.counts);
            if is_late {
                let base = before.map(|it| FleetCounts::from(&it.counts));
                let late = base.map_or_else(|| counts.clone(), |base| counts.since(&base));
                view.late.push((name.clone(), late));
            } else if let (Some(recent), Some(before)) = (&rollout.recent, before) {
                let none = Default::default();
                let delta = recent.since(before.recent.as_ref().unwrap_or(&none));
                view.recent
                    .push((name.clone(), by_our_clock(delta, ahead_s)));
            }
        }
        Some(Self {
            key: key.to_owned(),
            revision: kv.mod_revision,
            document,
            times: known.map_or(0, |it| it.times).saturating_add(1),
            seen_ms: now_ms,
            ahead_s,
        })
    }

    /// Whether it has published within three intervals.
    pub fn is_live(&self, now_ms: u64, interval_ms: u64) -> bool {
        let intervals_ms = self.interval_ms(interval_ms).saturating_mul(3);
        // A tick, and a call that comes back late, on top.
        let silent_ms = now_ms.saturating_sub(self.seen_ms);
        !self.document.retired && silent_ms <= intervals_ms.saturating_add(500)
    }

    /// Whether it is no more and its key is to be retired, or was retired long ago and is to be deleted.
    pub fn is_gone(&self, now_ms: u64, interval_ms: u64) -> bool {
        let silent_ms = now_ms.saturating_sub(self.seen_ms);
        let intervals_ms = self.interval_ms(interval_ms).saturating_mul(20);
        if self.document.retired {
            silent_ms > Self::FORGET_MS
        } else {
            silent_ms > Self::RETIRE_MS.max(intervals_ms)
        }
    }

    /// Its last document, marked as retired; nothing where it is so already.
    pub fn retired(&self) -> Option<ProxyDocument> {
        if self.document.retired {
            return None;
        }
        let mut document = self.document.clone();
        document.retired = true;
        for rollout in document.rollouts.values_mut() {
            rollout.recent = None;
        }
        Some(document)
    }

    fn interval_ms(&self, ours_ms: u64) -> u64 {
        // What another process claims may be anything.
        self.document
            .interval_ms
            .clamp(ours_ms, 60_000.max(ours_ms))
    }
}

fn difference(ours: u64, theirs: u64) -> i64 {
    let signed = |second| i64::try_from(second).unwrap_or(i64::MAX);
    signed(ours).saturating_sub(signed(theirs))
}

/// The changes with this proxy's seconds.
fn by_our_clock(mut delta: RecentDelta, ahead_s: i64) -> RecentDelta {
    for (second, _, _) in &mut delta.starts {
        *second = second.saturating_add_signed(ahead_s);
    }
    let incidents = delta.incidents.iter_mut();
    for Incident { began_s, .. } in incidents {
        *began_s = began_s.saturating_add_signed(ahead_s);
    }
    delta
}
