//! What a stream is to the filter.

use super::feedback_request::FeedbackRequest;
use super::routed_stream::RoutedStream;
use std::rc::Rc;

/// What a stream is to the filter.
pub enum Phase {
    /// Nothing, or nothing any more.
    Passing,
    /// A request that goes to blue or green.
    Routed(RoutedStream),
    /// Feedback whose body is not complete.
    Feedback(Rc<FeedbackRequest>),
    /// The filter has answered it.
    Answered,
}
