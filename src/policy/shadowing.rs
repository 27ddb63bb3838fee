//! Copies of requests: whose they are, and what they and the requests themselves count for.

use crate::policy::decide::{Decision, Reason};
use crate::policy::rollout::{Rollout, RolloutStatus};
use crate::request::client_request::Request;
use crate::value::percent::{Percent, Weights};

// === impl Rollout ===

impl Rollout {
    /// Decides a copy of a request: it is the canary's.
    pub fn decide_copy(&self, request: &Request<'_>) -> Decision {
        let user = self.key(request).map(|(_, key)| self.salt.bucket(&key));
        Decision {
            color: self.stable.other(),
            reason: user.map_or(Reason::Random, |_| Reason::Sticky),
            user,
            new_id: None,
            override_denied: false,
            is_copied: false,
        }
    }

    /// Whether requests are copied to the canary: no longer once it was rolled back.
    pub fn copies(&self, status: RolloutStatus) -> bool {
        self.shadow.is_some() && status.tripped.is_none()
    }

    /// Whether copies are judged as the canary's requests, since it has no others.
    pub fn judges_copies(&self, weights: Weights) -> bool {
        self.shadow.is_some() && weights.of(self.stable.other()) == Percent::ZERO
    }

    /// Whether guard and gate look at a request that was decided under these weights. While copies are judged, so are
    /// those requests of the stable color alone that were copied: with others the colors would be compared over
    /// different requests.
    pub fn judges(&self, decision: &Decision, weights: Weights, is_copy: bool) -> bool {
        match decision.reason {
            Reason::Override => false,
            _ if is_copy => self.judges_copies(weights),
            _ => decision.is_copied || !self.judges_copies(weights),
        }
    }

    /// The canary's share of the requests that are judged. Of a request and its copy each color gets one.
    pub fn canary_share(&self, weights: Weights) -> Percent {
        if self.judges_copies(weights) {
            Percent::FIFTY
        } else {
            weights.of(self.stable.other())
        }
    }
}
