//! The feedback endpoint: where it is, and which requests it takes.

use crate::assign::permission::Permission;
use crate::request::headers::Headers;
use serde::Serialize;
use std::fmt;

/// Where feedback is taken, and from whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedbackEndpoint {
    /// The path, without query.
    pub path: String,
    /// What a request must bring.
    pub require: Permission,
}

/// Why feedback is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedbackError {
    /// Something in the body or in the query is wrong: 400.
    Invalid(String),
    /// There are both a query and a body: 400.
    QueryAndBody,
    /// This client may not send it: 403.
    Forbidden,
    /// It was not sent by `POST`: 405.
    Method,
    /// The body is too large: 413.
    TooLarge,
    /// The fleet's store has not confirmed it: 503.
    NotStored,
    /// Envoy does not hand the body over: 503.
    Unread(Missing),
}

/// What Envoy needs to hand a body over to the filter, and does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// `allow_on_headers_stop_iteration`.
    HeadersStop,
    /// The callback `proxy_on_request_body`.
    BodyCallback,
    /// The callback `proxy_on_request_trailers`.
    TrailersCallback,
    /// The first of them, unless the client has sent no part of the body either.
    Unknown,
}

// === impl FeedbackEndpoint ===

impl FeedbackEndpoint {
    /// The largest body that is taken.
    pub const MAX_BYTES: usize = 65_536;
    const MAX_LENGTH: u64 = 65_536;

    /// Whether a request is feedback.
    pub fn is_at(&self, path: &[u8]) -> bool {
        path.strip_prefix(self.path.as_bytes())
            .is_some_and(|rest| matches!(rest, [] | [b'?', ..]))
    }

    /// # Errors
    /// Where a request is refused before its body is read.
    pub fn admit(&self, headers: &Headers<'_>) -> Result<(), FeedbackError> {
        if headers.first(":method") != Some(b"POST") {
            return Err(FeedbackError::Method);
        }
        if !self.require.allows(headers) {
            return Err(FeedbackError::Forbidden);
        }
        if headers.first("content-length").is_some_and(is_too_large) {
            return Err(FeedbackError::TooLarge);
        }
        Ok(())
    }
}

/// Whether a `content-length` is above the limit. What is not a number says nothing; Envoy counts the
/// bytes itself.
fn is_too_large(length: &[u8]) -> bool {
    let is_number = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(length).unwrap_or_default();
    // Not usize, which has 32 bits in Wasm. Where the digits are too many for 64 bits, it is too large too.
    let number = text.parse::<u64>().ok();
    is_number && number.is_none_or(|number| number > FeedbackEndpoint::MAX_LENGTH)
}

// === impl FeedbackError ===

impl FeedbackError {
    /// The response's status.
    pub const fn status(&self) -> u32 {
        match self {
            Self::Invalid(_) | Self::QueryAndBody => 400,
            Self::Forbidden => 403,
            Self::Method => 405,
            Self::TooLarge => 413,
            Self::NotStored | Self::Unread(_) => 503,
        }
    }

    /// The response's body: `{"error": "…"}`.
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body {
            error: String,
        }

        let error = self.to_string();
        // Writing text to memory does not fail.
        serde_json::to_vec(&Body { error }).unwrap_or_default()
    }
}

impl fmt::Display for FeedbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(problem) => f.write_str(problem),
            Self::Forbidden => f.write_str("this client may not give feedback"),
            Self::Method => f.write_str("feedback is given by POST"),
            Self::QueryAndBody => f.write_str("both a query and a body, must be one of them"),
            Self::NotStored => f.write_str(
                "this Envoy has counted it, but the fleet's store has not confirmed it: it is lost if this Envoy ends \
                 before, and counts twice if it is sent again",
            ),
            Self::Unread(missing) => write!(
                f,
                "Envoy does not hand the body over: {}; counts may also come in the query, without a body",
                missing.as_str()
            ),
            Self::TooLarge => write!(
                f,
                "the body is larger than {} bytes",
                FeedbackEndpoint::MAX_BYTES
            ),
        }
    }
}

impl std::error::Error for FeedbackError {}

// === impl Missing ===

impl Missing {
    const fn as_str(self) -> &'static str {
        match self {
            Self::HeadersStop => "allow_on_headers_stop_iteration is not set for the filter",
            Self::BodyCallback => "the capability proxy_on_request_body is not allowed",
            Self::TrailersCallback => "the capability proxy_on_request_trailers is not allowed",
            Self::Unknown => {
                "no part of it has come; if one was sent, allow_on_headers_stop_iteration is not set for the filter"
            }
        }
    }
}
