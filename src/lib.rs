//! bluegreen: a WebAssembly filter for Envoy that decides, request by request, whether the blue or the
//! green cluster serves it.
//!
//! # The life of one request
//!
//! Once, when a configuration arrives, its bytes become a [`Policy`], or errors that say all
//! that is wrong, and where. A policy that exists is valid.
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

pub mod analysis;
pub mod assign;
mod config;
pub mod fleet;
mod json;
pub mod metrics;
pub mod policy;
pub mod request;
pub mod value;

#[cfg(target_arch = "wasm32")]
mod host;

pub use crate::analysis::confidence_sequence::{
    ConfidenceLevel, ConfidenceSequence, Interval, InvalidConfidence, LimitVerdict,
};
pub use crate::analysis::f1::{F1, F1Drop};
pub use crate::analysis::grpc::GrpcStatus;
pub use crate::analysis::guard::{Analysis, Breach, Cause, Guard, Limits, Share, SlowAfter};
pub use crate::analysis::proportion::Proportion;
pub use crate::analysis::quality::{Outcome, Outcomes, Quality};
pub use crate::analysis::quality_analysis::{QualityAnalysis, QualityBreach};
pub use crate::analysis::quality_figures::{QualityFigure, QualityFigures};
pub use crate::analysis::ramp::{Hold, InvalidStep, Ramp, RampPlace, Step};
pub use crate::analysis::ramp_progress::{RampPosition, RampProgress, StepAnalysis};
pub use crate::analysis::signal::{ProbeReason, Signal};
pub use crate::analysis::stream_end::{CodeClass, StreamClass, StreamEnd};
pub use crate::analysis::window::{Counts, Window};
pub use crate::assign::cookie_attribute::{
    CookieDomain, CookiePath, InvalidCookieDomain, InvalidCookiePath,
};
pub use crate::assign::key_source::{
    InvalidMetadataPath, InvalidQueryName, KeySource, MetadataPath,
};
pub use crate::assign::new_cookie::{
    CookieAttributes, InvalidNewCookie, InvalidSameSite, NewCookie, NewId, SameSite,
};
pub use crate::assign::overrides::{Override, OverrideResult};
pub use crate::assign::permission::{InvalidSha256Digest, Permission, Sha256Digest, Token};
pub use crate::config::errors::ConfigErrors;
#[cfg(not(target_arch = "wasm32"))]
pub use crate::config::schema::config_schema;
pub use crate::config::time::{InvalidDuration, InvalidTime, parse_duration_ms, parse_time_ms};
pub use crate::json::document::{Document, InvalidDocument};
pub use crate::json::problems::Problem;
pub use crate::policy::decide::{Decision, Reason};
pub use crate::policy::feedback::Report;
pub use crate::policy::feedback_endpoint::{FeedbackEndpoint, FeedbackError, Missing};
pub use crate::policy::feedback_start::FeedbackStart;
pub use crate::policy::feedback_wait::{Arrived, FeedbackWait};
pub use crate::policy::policy::Policy;
pub use crate::policy::ramp_begin::RampNotice;
pub use crate::policy::rollout::{Match, Rollout, RolloutStatus};
pub use crate::policy::rollout_counts::RolloutCounts;
pub use crate::policy::rollout_identity::RolloutIdentity;
pub use crate::policy::shared_state::{Begun, Fact, SharedState};
pub use crate::policy::shared_store::{HostStatus, SharedStore};
pub use crate::policy::vm_counts::VmCounts;
pub use crate::request::client_request::Request;
pub use crate::request::cookie::{CookieName, InvalidCookieName};
pub use crate::request::headers::Headers;
pub use crate::request::host_pattern::{HostPattern, InvalidHost};
pub use crate::request::matcher::{MatchRule, Matcher};
pub use crate::value::bucket::{Bucket, InvalidSalt, Salt};
pub use crate::value::color::{Color, InvalidColor, PerColor};
pub use crate::value::header_name::{HeaderName, InvalidHeaderName};
pub use crate::value::name::{
    ClusterName, InvalidClusterName, InvalidReleaseLabel, InvalidRolloutName, ReleaseLabel,
    RolloutName,
};
pub use crate::value::percent::{InvalidPercent, InvalidWeights, Percent, Weights};
pub use crate::value::profile::{InvalidProfile, Profile};
