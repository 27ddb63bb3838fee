//! Shadow traffic: which requests the canary gets a copy of, and what has to be known of the copies.

use crate::analysis::confidence_sequence::LimitVerdict;
use crate::analysis::disagreement::Comparison;
use crate::analysis::shadow_counts::ShadowCounts;
use crate::request::headers::Headers;
use crate::value::bucket::Bucket;
use crate::value::color::Color;
use crate::value::method::Method;
use crate::value::percent::{Percent, Weights};

/// Which requests of the stable color the canary gets a copy of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// Of so many users: those who come to the canary first.
    pub percent: Percent,
    /// Requests with one of these methods.
    pub methods: Vec<Method>,
    /// How many copies have ended before a ramp begins.
    pub min_requests: u64,
    /// How the labels of both answers are compared, where they are.
    pub comparison: Option<Comparison>,
}

// === impl Shadow ===

impl Shadow {
    /// The request header by which a route sends a copy, and which tells the canary that a request is one.
    pub const HEADER: &'static str = Headers::SHADOW;

    /// What the header says on a request that is to be copied: the cluster of the listener for copies.
    pub const TARGET: &'static str = "shadow";

    /// The property of Envoy that is true on the listener for copies, and there alone.
    pub const LISTENER_PROPERTY: &'static [u8] =
        b"xds\0listener_metadata\0filter_metadata\0bluegreen\0shadow";

    /// Whether a request of this user is copied. One that changes its protocol is not: it becomes a connection, which
    /// only one can answer.
    pub fn takes(&self, headers: &Headers<'_>, bucket: Bucket, canary: Color) -> bool {
        let method = headers.first(":method").unwrap_or_default();
        let mut methods = self.methods.iter();
        bucket.color(Weights::giving(canary, self.percent)) == canary
            && methods.any(|it| it.as_str().as_bytes() == method)
            && headers.first("upgrade").is_none()
    }

    /// Whether a limit is held against what the copies came to.
    pub fn has_limit(&self) -> bool {
        let comparison = self.comparison.as_ref();
        comparison.is_some_and(|it| it.max_disagreement.is_some())
    }

    /// Whether a ramp waits for copies.
    pub fn holds_ramp(&self) -> bool {
        self.min_requests > 0 || self.has_limit()
    }

    /// What is known of the limit on disagreement; kept where there is none.
    pub fn judge(&self, counts: &ShadowCounts) -> LimitVerdict {
        let comparison = self.comparison.as_ref();
        comparison.map_or(LimitVerdict::Kept, |it| it.judge(counts))
    }

    /// Whether there is all that a ramp waits for.
    pub fn is_enough(&self, counts: &ShadowCounts) -> bool {
        counts.requests >= self.min_requests && self.judge(counts) == LimitVerdict::Kept
    }
}
