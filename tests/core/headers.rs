//! The block of headers that Envoy hands over, and header names.

use crate::support::block;
use bluegreen::{HeaderName, Headers};
use proptest::prelude::*;

#[test]
fn block_of_the_abi_reads_as_its_headers() {
    let block = [
        &[2, 0, 0, 0][..],
        &[5, 0, 0, 0, 2, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        b":path\0/v\0",
        b"a\0\0",
    ]
    .concat();
    let headers: Vec<_> = Headers::new(&block).iter().collect();
    assert_eq!(headers, [(&b":path"[..], &b"/v"[..]), (b"a", b"")]);
}

#[test]
fn repeated_header_keeps_all_its_values_in_order() {
    let block = block(&[("a", "1"), ("b", "2"), ("a", ""), ("a", "3")]);
    let headers = Headers::new(&block);
    let all: Vec<_> = headers.all("a").collect();
    assert_eq!(all, [&b"1"[..], b"", b"3"]);
    assert_eq!(headers.first("a"), Some(&b"1"[..]));
    assert_eq!(headers.first("c"), None);
}

#[test]
fn headers_end_where_the_block_breaks_off() {
    let whole = block(&[("a", "1"), ("b", "2")]);
    let read = |length: usize| Headers::new(&whole[..length]).iter().count();
    let counts: Vec<_> = (0..=whole.len()).map(read).collect();
    let (lengths, first, second) = (20, 4, 4);
    let expected: Vec<usize> = [vec![0; lengths + first], vec![1; second], vec![2]].concat();
    assert_eq!(counts, expected);
}

#[test]
fn lengths_beyond_the_block_are_no_headers() {
    for block in [
        &[0xff; 64][..],
        &[0xff, 0xff, 0xff, 0xff],
        &[0, 0, 0, 0x20],
        &[
            1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, b'a', 0,
        ],
    ] {
        assert_eq!(Headers::new(block).iter().count(), 0, "{block:?}");
    }
}

#[test]
fn values_are_not_shown_in_debug() {
    let block = block(&[("authorization", "secret")]);
    assert_eq!(format!("{:?}", Headers::new(&block)), "Headers(1)");
}

#[test]
fn header_names_are_read_in_lower_case() {
    for (name, read) in [
        ("X-User-Id", "x-user-id"),
        ("a", "a"),
        ("!#$%&'*+-.^_`|~9", "!#$%&'*+-.^_`|~9"),
    ] {
        assert_eq!(HeaderName::parse(name).unwrap().as_str(), read);
    }
    assert!(HeaderName::parse(&"x".repeat(255)).is_ok());
}

#[test]
fn what_is_no_header_name_is_rejected() {
    let long = "x".repeat(256);
    for name in [
        "",
        ":path",
        ":authority",
        "a b",
        "a:",
        "a\n",
        "a\0",
        "ä",
        "a,b",
        "a/b",
        "(a)",
        &long,
    ] {
        let message = HeaderName::parse(name).unwrap_err().to_string();
        assert_eq!(
            message,
            format!(
                "{name:?}, must be a header name of 1 to 255 letters, digits and !#$%&'*+-.^_`|~ (no pseudo-header)"
            )
        );
    }
}

#[test]
fn headers_that_http_or_envoy_lives_by_are_read_but_not_written() {
    for name in [
        "host",
        "Connection",
        "content-length",
        "Transfer-Encoding",
        "upgrade",
        "TE",
        "keep-alive",
        "proxy-connection",
        "trailer",
        "Content-Type",
        "cookie",
        "Set-Cookie",
        "X-Envoy-Internal",
    ] {
        assert!(HeaderName::parse(name).is_ok(), "{name}");
        let message = HeaderName::parse_writable(name).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("{name:?}, must be a header that HTTP and Envoy do not use themselves")
        );
    }
    for name in ["x-color", "x-host", "cookies", "x-envoy-internal-color"] {
        assert!(HeaderName::parse_writable(name).is_ok(), "{name}");
    }
}

proptest! {
    #[test]
    fn all_headers_read_back_as_they_were(headers: Vec<(Vec<u8>, Vec<u8>)>) {
        let block = block(&headers);
        let read: Vec<_> = Headers::new(&block)
            .iter()
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect();
        prop_assert_eq!(read, headers);
    }

    #[test]
    fn any_bytes_can_be_read(count in 0_u32..4, rest: Vec<u8>) {
        let block = [&count.to_le_bytes()[..], &rest].concat();
        let headers = Headers::new(&block);
        prop_assert!(headers.iter().count() <= count as usize);
        prop_assert!(headers.first("").is_none_or(|value| value.len() < block.len()));
    }
}
