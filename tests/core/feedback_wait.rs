//! Feedback from its headers to its body, or to the moment when that is no longer waited for.

use crate::feedback::open;
use crate::support::block;
use bluegreen::{
    Arrived, Color, FeedbackError, FeedbackStart, FeedbackWait, Headers, Missing, Outcomes, Report,
};

const MS: u64 = 1_000_000;
const QUERY: &str = "rollout=rec&color=green&tp=3";

fn report() -> Report {
    let outcomes = Outcomes {
        tp: 3,
        ..Outcomes::default()
    };
    Report::new(1, Color::Green, outcomes)
}

fn start(
    query: &str,
    length: Option<&str>,
    is_complete: bool,
) -> Result<FeedbackStart, FeedbackError> {
    let path = format!("/bluegreen/feedback{query}");
    let mut headers = vec![(":method", "POST"), (":path", path.as_str())];
    headers.extend(length.map(|length| ("content-length", length)));
    let policy = open();
    let endpoint = policy.feedback.as_ref().unwrap();
    FeedbackStart::read(
        endpoint,
        &policy,
        &Headers::new(&block(&headers)),
        is_complete,
    )
}

#[test]
fn query_is_whole_where_no_body_follows() {
    let query = format!("?{QUERY}");
    let whole = Ok(FeedbackStart::Whole(report()));
    assert_eq!(start(&query, None, true), whole);
    assert_eq!(start(&query, Some("0"), true), whole);
    assert_eq!(start(&query, Some("0"), false), whole);
    assert_eq!(start(&query, Some("000"), false), whole);
    let unless = Ok(FeedbackStart::WholeUnlessBody(report()));
    assert_eq!(start(&query, None, false), unless);
    assert_eq!(start(&query, Some(""), false), unless);
    assert_eq!(
        start(&query, Some("5"), false),
        Err(FeedbackError::QueryAndBody)
    );
    assert_eq!(
        start(&query, Some("65537"), false),
        Err(FeedbackError::TooLarge)
    );
}

#[test]
fn query_about_something_else_may_stand_beside_a_body() {
    for query in ["", "?", "?&", "?from=labels", "?tps=1&rollouts"] {
        assert_eq!(
            start(query, Some("5"), false),
            Ok(FeedbackStart::InBody),
            "{query}"
        );
        assert_eq!(
            start(query, None, false),
            Ok(FeedbackStart::InBody),
            "{query}"
        );
        assert_eq!(
            start(query, None, true).unwrap_err().status(),
            400,
            "{query}"
        );
    }
    assert_eq!(
        start("?fn", Some("5"), false),
        Err(FeedbackError::QueryAndBody)
    );
    assert_eq!(
        start("?%74p=", Some("5"), false),
        Err(FeedbackError::QueryAndBody)
    );
}

/// Waits since 10 ms, for a request whose headers had 500 bytes.
fn overdue(
    query: Option<Report>,
    waited_ms: u64,
    bytes: Option<u64>,
    is_set_up: bool,
) -> Option<Result<Report, FeedbackError>> {
    let arrived = Arrived {
        bytes,
        is_handed_over: false,
        is_set_up,
    };
    FeedbackWait::new(query, 10 * MS, 500).overdue((10 + waited_ms) * MS, arrived)
}

#[test]
fn body_that_came_and_was_not_handed_over_is_answered_at_once() {
    let missing = Some(Err(FeedbackError::Unread(Missing::HeadersStop)));
    assert_eq!(overdue(None, 0, Some(501), false), missing);
    assert_eq!(overdue(None, 0, Some(501), true), missing);
    let both = Some(Err(FeedbackError::QueryAndBody));
    assert_eq!(overdue(Some(report()), 0, Some(501), false), both);
}

#[test]
fn body_that_has_not_begun_is_waited_for_longer_where_bodies_are_handed_over() {
    let unknown = Some(Err(FeedbackError::Unread(Missing::Unknown)));
    for bytes in [Some(500), None] {
        assert_eq!(overdue(None, 1_199, bytes, false), None);
        assert_eq!(overdue(None, 1_200, bytes, false), unknown);
        assert_eq!(overdue(None, 3_600_000, bytes, true), None);
        assert_eq!(overdue(Some(report()), 399, bytes, true), None);
        assert_eq!(
            overdue(Some(report()), 400, bytes, true),
            Some(Ok(report()))
        );
    }
}

#[test]
fn part_of_a_body_is_refused_beside_a_query_and_where_it_is_too_large() {
    let part = |query, bytes| FeedbackWait::new(query, 0, 0).part(bytes);
    assert_eq!(part(None, 65_536), Ok(()));
    assert_eq!(part(None, 65_537), Err(FeedbackError::TooLarge));
    assert_eq!(part(Some(report()), 0), Ok(()));
    assert_eq!(part(Some(report()), 1), Err(FeedbackError::QueryAndBody));
}

#[test]
fn request_that_is_passed_on_names_the_callback_that_is_missing() {
    let passed_on = |query, bytes, is_handed_over| {
        FeedbackWait::new(query, 0, 500).passed_on(Arrived {
            bytes,
            is_handed_over,
            is_set_up: is_handed_over,
        })
    };
    let unread = |missing| Err(FeedbackError::Unread(missing));
    assert_eq!(
        passed_on(None, Some(501), false),
        unread(Missing::BodyCallback)
    );
    assert_eq!(
        passed_on(None, Some(501), true),
        unread(Missing::TrailersCallback)
    );
    assert_eq!(passed_on(Some(report()), Some(500), false), Ok(report()));
    assert_eq!(passed_on(Some(report()), None, false), Ok(report()));
    assert_eq!(
        passed_on(Some(report()), Some(501), false),
        Err(FeedbackError::QueryAndBody)
    );
}
