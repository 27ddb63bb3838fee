//! The decision: which color serves a request, and why.

use crate::assign::new_cookie::NewId;
use crate::assign::overrides::OverrideResult;
use crate::policy::rollout::Rollout;
use crate::request::client_request::Request;
use crate::value::bucket::Bucket;
use crate::value::color::Color;
use crate::value::percent::Weights;
use std::borrow::Cow;

/// What is decided for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Who serves it.
    pub color: Color,
    /// By what it was decided.
    pub reason: Reason,
    /// Who sent it, by the bucket of the key; nobody where it was decided at random or by an override.
    pub user: Option<Bucket>,
    /// The id that was made for a user who had none; it goes into the rollout's new cookie.
    pub new_id: Option<NewId>,
    /// Whether the request asked for a color that it may not have.
    pub override_denied: bool,
    /// Whether the canary gets a copy of it.
    pub is_copied: bool,
}

/// By what a request was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// By a key that came with it.
    Sticky,
    /// By an id that was made for it.
    Generated,
    /// At random, for want of a key.
    Random,
    /// By an override.
    Override,
}

// === impl Rollout ===

impl Rollout {
    /// Decides a request under the weights that are in force.
    pub fn decide(
        &self,
        request: &Request<'_>,
        weights: Weights,
        rng: &mut fastrand::Rng,
    ) -> Decision {
        let override_result = self
            .overrides
            .as_ref()
            .map(|it| it.result(&request.headers));
        if let Some(OverrideResult::Granted(color)) = override_result {
            return Decision {
                color,
                reason: Reason::Override,
                user: None,
                new_id: None,
                override_denied: false,
                is_copied: false,
            };
        }
        let (bucket, reason, new_id) = if let Some((_, key)) = self.key(request) {
            (self.salt.bucket(&key), Reason::Sticky, None)
        } else if self.new_cookie.is_some() {
            let id = NewId::random(rng);
            let bucket = self.salt.bucket(id.to_string().as_bytes());
            (bucket, Reason::Generated, Some(id))
        } else {
            (Bucket::random(rng), Reason::Random, None)
        };
        let color = bucket.color(weights);
        Decision {
            color,
            reason,
            user: (reason != Reason::Random).then_some(bucket),
            new_id,
            override_denied: override_result == Some(OverrideResult::Denied),
            is_copied: color == self.stable && self.is_shadowed(request, bucket),
        }
    }

    fn is_shadowed(&self, request: &Request<'_>, bucket: Bucket) -> bool {
        let shadow = self.shadow.as_ref();
        shadow.is_some_and(|it| it.takes(&request.headers, bucket, self.stable.other()))
    }

    /// The index of the first source that has a key, and the key.
    pub fn key<'a>(&self, request: &Request<'a>) -> Option<(usize, Cow<'a, [u8]>)> {
        let mut sources = self.sticky.iter().enumerate();
        sources.find_map(|(index, source)| Some((index, source.key(request)?)))
    }
}

// === impl Reason ===

impl Reason {
    /// All reasons.
    pub const ALL: [Reason; 4] = [
        Reason::Sticky,
        Reason::Generated,
        Reason::Random,
        Reason::Override,
    ];

    /// The value of the stats' label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::Sticky => "sticky",
            Reason::Generated => "generated",
            Reason::Random => "random",
            Reason::Override => "override",
        }
    }
}
