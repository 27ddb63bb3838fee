//! `stream`.

use super::assert_field;
use crate::support::rollout;
use bluegreen::Streaming;
use serde_json::json;

#[test]
fn stream_asks_for_the_first_chunk_or_for_errors_or_both() {
    for (first_chunk, sse_errors) in [(true, true), (true, false), (false, true)] {
        let stream = json!({ "first_chunk": first_chunk, "sse_errors": sse_errors });
        let expected = Streaming {
            first_chunk,
            sse_errors,
        };
        assert_eq!(rollout(&json!({ "stream": stream })).stream, Some(expected));
    }
    let absent = rollout(&json!({ "stream": { "sse_errors": true } }));
    assert!(!absent.times_first_chunk());
    assert_eq!(rollout(&json!({})).stream, None);
}

#[test]
fn stream_that_asks_for_nothing_is_rejected() {
    let message = ": asks for nothing, must have first_chunk or sse_errors that is true";
    assert_field("stream", json!({}), message);
    assert_field("stream", json!({ "first_chunk": false }), message);
    assert_field(
        "stream",
        json!({ "first_chunk": false, "sse_errors": false }),
        message,
    );
}

#[test]
fn stream_has_flags() {
    assert_field("stream", json!(true), ": true, must be an object");
    assert_field(
        "stream",
        json!({ "first_chunk": "yes" }),
        ".first_chunk: \"yes\", must be true or false",
    );
    assert_field(
        "stream",
        json!({ "sse_errors": 1 }),
        ".sse_errors: 1, must be true or false",
    );
    assert_field(
        "stream",
        json!({ "first_token": true }),
        ".first_token: unknown field, must be one of first_chunk, sse_errors",
    );
}
