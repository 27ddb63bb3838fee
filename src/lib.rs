//! bluegreen: a WebAssembly filter for Envoy that decides, request by request, whether the blue or the
//! green cluster serves it.
//!
//! # The life of one request
//!
//! Once, when a configuration arrives, its bytes become a [`Policy`], or an error that says where
//! they are wrong. A policy that exists is valid.
//!
//! For each request:
//! 1. [`Headers`] are a view of the one block in which Envoy hands them over.
//! 2. [`Policy::find`] finds the [`Rollout`] by host and path.
//! 3. [`Rollout::decide`] finds the user's key, from the key the [`Bucket`], and from the bucket and
//!    the [`Weights`] in force the [`Color`].
//! 4. The host layer writes the cluster's name into the routing header, and Envoy routes by it.
//! 5. At the end of the stream, [`StreamEnd`] tells how it went, and the stats get their share.
//!
//! All but the host layer is plain Rust: data in, decision out, with clock and randomness passed in.
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::todo,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod bucket;
mod color;
mod config;
mod cookie;
mod decide;
mod error;
mod feedback;
mod grpc;
mod guard;
mod headers;
mod key;
pub mod ledger;
mod matcher;
mod new_cookie;
mod node;
mod outcome;
mod overrides;
mod percent;
mod permission;
mod policy;
mod profile;
mod quality;
mod ramp;
mod rollout;
mod signal;
pub mod stats;
mod window;

#[cfg(target_arch = "wasm32")]
mod host;

pub use crate::bucket::{Bucket, Salt};
pub use crate::color::{Color, PerColor};
pub use crate::cookie::CookieName;
pub use crate::decide::{Decision, Reason};
pub use crate::error::{ConfigError, Problem};
pub use crate::feedback::{Feedback, Refusal, Report};
pub use crate::grpc::GrpcStatus;
pub use crate::guard::{Breach, Cause, Guard, Judgement, Limits, Share};
pub use crate::headers::{HeaderName, Headers};
pub use crate::key::{KeySource, MetadataPath, Request};
pub use crate::ledger::{Entry, Ledger, Release};
pub use crate::matcher::{Claim, HostPattern, Matcher};
pub use crate::new_cookie::{CookieAttributes, NewCookie, NewId, SameSite};
pub use crate::outcome::{CodeClass, StreamEnd, Verdict};
pub use crate::overrides::{Override, Wish};
pub use crate::percent::{Percent, Weights};
pub use crate::permission::{Permission, Sha256Digest, Token};
pub use crate::policy::Policy;
pub use crate::profile::Profile;
pub use crate::quality::{Outcome, Outcomes, Quality, QualityBreach, QualityJudgement};
pub use crate::ramp::{Hold, Ramp};
pub use crate::rollout::{ClusterName, Match, ReleaseLabel, Rollout, RolloutName, Standing};
pub use crate::signal::{Look, Signal};
pub use crate::window::{Tally, Window};
