//! What was counted of one rollout, as proxies compare it.

use crate::policy::rollout::Rollout;
use crate::policy::rollout_identity::RolloutIdentity;
use crate::policy::totals::{Overlap, Totals};
use crate::value::color::{Color, PerColor};
use crate::value::name::ReleaseLabel;

/// Totals of one rollout as proxies compare them: by digests and labels, and not by what one of them has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetCounts {
    /// The digest of clusters, releases and salt.
    pub generation: u64,
    /// The label of each color's release, empty where it has none.
    pub releases: PerColor<String>,
    /// What was counted.
    pub totals: Totals,
}

// === impl FleetCounts ===

impl FleetCounts {
    /// What one proxy has counted of a rollout.
    pub fn of(rollout: &Rollout, identity: &RolloutIdentity, totals: Totals) -> Self {
        Self {
            generation: identity.generation,
            releases: PerColor::from_fn(|color| label(rollout, color).to_owned()),
            totals,
        }
    }

    /// Whether others belong to the same.
    pub fn is_about(&self, other: &Self) -> bool {
        (self.generation, &self.releases) == (other.generation, &other.releases)
    }

    /// Adds what others counted for the same generation and the same releases.
    pub fn add(&mut self, other: &Self) {
        let overlap = self.overlap(other);
        self.totals.add(&other.totals, overlap);
    }

    /// What has come since `base` was counted.
    pub fn since(&self, base: &Self) -> Self {
        Self {
            generation: self.generation,
            releases: self.releases.clone(),
            totals: self.totals.since(&base.totals, self.overlap(base)),
        }
    }

    /// The same generation and releases, without counts.
    pub fn emptied(&self) -> Self {
        Self {
            generation: self.generation,
            releases: self.releases.clone(),
            totals: Totals::default(),
        }
    }

    /// Whether there are no counts.
    pub fn is_empty(&self) -> bool {
        self.totals == Totals::default()
    }

    /// Leaves nothing but outcomes and scores: the requests were for another generation than any that is in force.
    pub fn end_generation(&mut self) {
        let Totals {
            outcomes, scores, ..
        } = std::mem::take(&mut self.totals);
        self.generation = 0;
        self.totals = Totals {
            outcomes,
            scores,
            ..Totals::default()
        };
    }

    /// Whether a color runs the same release.
    pub fn has_release_of(&self, other: &Self, color: Color) -> bool {
        self.releases.of(color) == other.releases.of(color)
    }

    /// Adds to a list of counts that belong to different things.
    pub fn add_to_list(&self, list: &mut Vec<Self>) {
        match list.iter_mut().find(|it| it.is_about(self)) {
            Some(known) => known.add(self),
            None => list.push(self.clone()),
        }
    }

    /// Adds what counts for a rollout as it is configured here.
    pub fn add_to(&self, rollout: &Rollout, identity: &RolloutIdentity, totals: &mut Totals) {
        let overlap = Overlap {
            generation: self.generation == identity.generation,
            releases: PerColor::from_fn(|color| label(rollout, color) == self.releases.of(color)),
        };
        totals.add(&self.totals, overlap);
    }

    fn overlap(&self, other: &Self) -> Overlap {
        Overlap {
            generation: self.generation == other.generation,
            releases: PerColor::from_fn(|color| self.has_release_of(other, color)),
        }
    }
}

fn label(rollout: &Rollout, color: Color) -> &str {
    let label = rollout.releases.of(color).as_ref();
    label.map_or("", ReleaseLabel::as_str)
}
