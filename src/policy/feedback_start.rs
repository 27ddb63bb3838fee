//! Feedback when its headers have come: whether a body is to be waited for.

use crate::policy::feedback_endpoint::{FeedbackEndpoint, FeedbackError};
use crate::policy::policy::Policy;
use crate::policy::report::Report;
use crate::request::headers::Headers;
use crate::request::query::query;

/// What is known of feedback when its headers have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedbackStart {
    /// It is all there, in the query.
    Whole(Report),
    /// It is in the query, and a body may follow: Envoy learns only later that the request has ended.
    WholeUnlessBody(Report),
    /// It is in the body.
    InBody,
}

// === impl FeedbackStart ===

impl FeedbackStart {
    /// Reads the headers of feedback. `is_complete` says that nothing follows them.
    ///
    /// # Errors
    /// Where the request is refused before its body is read.
    pub fn read(
        endpoint: &FeedbackEndpoint,
        policy: &Policy,
        headers: &Headers<'_>,
        is_complete: bool,
    ) -> Result<Self, FeedbackError> {
        endpoint.admit(headers)?;
        let query = query(headers.path());
        let length = headers.first("content-length").filter(|it| !it.is_empty());
        let is_empty = |length: &[u8]| length.iter().all(|digit| *digit == b'0');
        let has_no_body = is_complete || length.is_some_and(is_empty);
        if has_no_body && query.is_empty() {
            // Nothing is no feedback.
            Report::read(&[], policy)?;
        }
        if has_no_body {
            return Report::read_query(query, policy).map(Self::Whole);
        }
        if !Report::is_in_query(query) {
            return Ok(Self::InBody);
        }
        match length {
            Some(_) => Err(FeedbackError::QueryAndBody),
            None => Report::read_query(query, policy).map(Self::WholeUnlessBody),
        }
    }
}
