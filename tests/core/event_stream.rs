//! Server-sent events: errors, and streams that end in the middle of an event.

use bluegreen::EventStream;
use proptest::collection::vec;
use proptest::prelude::*;

fn read(pieces: &[&[u8]]) -> EventStream {
    let mut events = EventStream::default();
    for piece in pieces {
        events.read(piece);
    }
    events
}

#[track_caller]
fn assert_failed(stream: &[u8], expected: bool) {
    let text = String::from_utf8_lossy(stream);
    assert_eq!(read(&[stream]).has_failed(), expected, "{text:?}");
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(read(&bytes).has_failed(), expected, "{text:?} by bytes");
}

#[test]
fn event_of_the_type_error_fails() {
    for stream in [
        "event: error\n\n",
        "event:error\n\n",
        "event: error\r\r",
        "event: error\r\n\r\n",
        "event: error\r\n\r",
        "\u{feff}event: error\n\n",
        "data: a\n\nevent: error\ndata: b\n\ndata: c\n\n",
        "data: a\nevent: error\n\n",
        "event: message\nevent: error\n\n",
        "retry: 10\n:\nevent: error\nid: 1\n\n",
    ] {
        assert_failed(stream.as_bytes(), true);
    }
}

#[test]
fn what_only_looks_like_an_error_does_not_fail() {
    for stream in [
        "",
        "\u{feff}",
        ":",
        ": event: error",
        "data: a\n\n: ping\n",
        "data: a\n\n: ping",
        "data: event: error\n\n",
        "event: errors\n\n",
        "event: erro\n\n",
        "event:  error\n\n",
        "event: error \n\n",
        "event: Error\n\n",
        "Event: error\n\n",
        " event: error\n\n",
        "events: error\n\n",
        "event\n\n",
        "event\nerror\n\n",
        // The last type of an event is its type.
        "event: error\nevent: message\n\n",
        "event: error\nevent\n\n",
        "event: error\nevent:\n\n",
        "data: a\n\u{feff}event: error\n\n",
        "\u{feff}\u{feff}event: error\n\n",
    ] {
        assert_failed(stream.as_bytes(), false);
    }
}

#[test]
fn stream_that_ends_in_an_event_fails() {
    for stream in [
        "data: a",
        "data: a\n",
        "data: a\r\n",
        "d",
        "event: error\n",
        "event: message\ndata: a\n",
        "data: a\n\ndata: [DONE]\n",
        "data: a\n: ping\n",
        "what\n",
    ] {
        assert_failed(stream.as_bytes(), true);
    }
    for stream in [&b"\xef"[..], b"\xef\xbb", b"\xff", b"\xef\xbb\xbe\n", b"\0"] {
        assert_failed(stream, true);
    }
}

#[test]
fn error_stays_whatever_follows() {
    let mut events = read(&[b"event: error\n\n"]);
    assert!(events.has_error());
    events.read(b"data: a\n\n");
    assert!(events.has_error() && events.has_failed());
}

#[test]
fn content_type_tells_a_stream_of_events() {
    for (content_type, expected) in [
        ("text/event-stream", true),
        ("Text/Event-Stream", true),
        ("text/event-stream; charset=utf-8", true),
        (" text/event-stream ;charset=utf-8", true),
        ("text/event-streams", false),
        ("text/plain; text/event-stream", false),
        ("", false),
    ] {
        assert_eq!(
            EventStream::has_content_type(content_type.as_bytes()),
            expected,
            "{content_type:?}"
        );
    }
    assert!(!EventStream::has_content_type(b"\xff"));
}

/// By the letter of HTML, with the whole stream at hand.
fn reference(stream: &[u8]) -> bool {
    let stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    let mut lines = vec![vec![]];
    let mut bytes = stream.iter().peekable();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\r' | b'\n' => {
                if byte == b'\r' && bytes.peek() == Some(&&b'\n') {
                    bytes.next();
                }
                lines.push(vec![]);
            }
            _ => lines.last_mut().unwrap().push(byte),
        }
    }
    // What follows the last end of line.
    let rest = lines.pop().unwrap();
    let (mut event_type, mut has_fields, mut has_error) = (vec![], false, false);
    for line in lines {
        let mut parts = line.splitn(2, |&byte| byte == b':');
        let name = parts.next().unwrap();
        let value = parts.next().unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        if line.is_empty() {
            has_error |= event_type == b"error";
            (event_type, has_fields) = (vec![], false);
        } else if !name.is_empty() {
            has_fields = true;
            if name == b"event" {
                event_type = value.to_vec();
            }
        }
    }
    has_error || has_fields || !(rest.is_empty() || rest[0] == b':')
}

fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let word = prop_oneof![
        4 => prop_oneof![
            Just("event"), Just("error"), Just("event: error"), Just("data"), Just("eve"), Just("nt"), Just("err"),
            Just("or"), Just("\u{feff}"), Just("x"),
        ].prop_map(|it| it.as_bytes().to_vec()),
        4 => prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' ')].prop_map(|it| vec![it]),
        2 => prop_oneof![Just("\r\n"), Just("\n\n"), Just(": ")].prop_map(|it| it.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..4),
    ];
    vec(vec(word, 0..8).prop_map(|words| words.concat()), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn verdict_is_that_of_the_standard_wherever_pieces_end(pieces in pieces()) {
        let views: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(read(&views).has_failed(), reference(&pieces.concat()));
    }
}
