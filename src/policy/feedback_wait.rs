//! Feedback whose body is not complete: how long it is waited for.

use crate::policy::feedback_endpoint::{FeedbackEndpoint, FeedbackError, Missing};
use crate::policy::report::Report;

/// Feedback whose body is not complete. Envoy holds the body back where it is not set up to hand it over, so that
/// no part of it ever comes.
#[derive(Clone, Debug)]
pub struct FeedbackWait {
    /// What the query says. Whether a body comes too is not known.
    query: Option<Report>,
    since_ns: u64,
    /// The request's bytes when its headers came.
    header_bytes: u64,
}

/// What has reached Envoy and the filter since the headers came.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// The request's bytes so far, where Envoy tells them.
    pub bytes: Option<u64>,
    /// Whether a part of this body has come to the filter.
    pub is_handed_over: bool,
    /// Whether Envoy has ever handed over a body of feedback.
    pub is_set_up: bool,
}

// === impl FeedbackWait ===

impl FeedbackWait {
    /// A query is all that comes, where no body follows it within this time.
    const QUERY_ALONE_NS: u64 = 400_000_000;
    /// A body must have begun within this time, where none has ever come.
    const BEGIN_NS: u64 = 1_200_000_000;

    /// Begins when the headers have come, as so many bytes.
    pub const fn new(query: Option<Report>, now_ns: u64, header_bytes: u64) -> Self {
        Self {
            query,
            since_ns: now_ns,
            header_bytes,
        }
    }

    /// A part of the body has come.
    ///
    /// # Errors
    /// Where it is refused before all of it is there.
    pub fn part(&self, bytes: usize) -> Result<(), FeedbackError> {
        match &self.query {
            Some(_) if bytes > 0 => Err(FeedbackError::QueryAndBody),
            _ if bytes > FeedbackEndpoint::MAX_BYTES => Err(FeedbackError::TooLarge),
            _ => Ok(()),
        }
    }

    /// What the query says, where it is all.
    pub fn query(&self) -> Option<Report> {
        self.query.clone()
    }

    /// What to answer while no part of the body has come to the filter. None while it is waited for.
    pub fn overdue(&self, now_ns: u64, arrived: Arrived) -> Option<Result<Report, FeedbackError>> {
        let waited_ns = now_ns.saturating_sub(self.since_ns);
        let unread = |missing| Some(Err(FeedbackError::Unread(missing)));
        match &self.query {
            Some(_) if self.has_body(arrived) => Some(Err(FeedbackError::QueryAndBody)),
            Some(report) if waited_ns >= Self::QUERY_ALONE_NS => Some(Ok(report.clone())),
            None if self.has_body(arrived) => unread(Missing::HeadersStop),
            None if waited_ns >= Self::BEGIN_NS && !arrived.is_set_up => unread(Missing::Unknown),
            _ => None,
        }
    }

    /// What to answer where Envoy passes the request on because a callback is missing that would hold it back.
    ///
    /// # Errors
    /// Where it is not all in the query.
    pub fn passed_on(&self, arrived: Arrived) -> Result<Report, FeedbackError> {
        match &self.query {
            Some(_) if self.has_body(arrived) => Err(FeedbackError::QueryAndBody),
            Some(report) => Ok(report.clone()),
            None if arrived.is_handed_over => Err(FeedbackError::Unread(Missing::TrailersCallback)),
            None => Err(FeedbackError::Unread(Missing::BodyCallback)),
        }
    }

    /// Whether more has come than the headers.
    fn has_body(&self, arrived: Arrived) -> bool {
        arrived.bytes.is_some_and(|bytes| bytes > self.header_bytes)
    }
}
