//! What a stream is to the filter.

use super::feedback_request::FeedbackRequest;
use super::held_request::HeldRequest;
use super::routed_stream::RoutedStream;
use super::storing_feedback::StoringFeedback;
use std::rc::Rc;

/// What a stream is to the filter.
pub enum Phase {
    /// Nothing, or nothing any more.
    Passing,
    /// A request that goes to blue or green.
    Routed(RoutedStream),
    /// A request that waits until it is known what the fleet has decided.
    Held(Rc<HeldRequest<Phase>>),
    /// Feedback that is counted, and not stored yet.
    #[allow(
        dead_code,
        reason = "it is looked up by the list of what waits, as long as it is here"
    )]
    Storing(Rc<StoringFeedback>),
    /// Feedback whose body is not complete.
    Feedback(Rc<FeedbackRequest<Phase>>),
    /// The filter has answered it.
    Answered,
}
