//! Where a user's key comes from.

use crate::support::{block, request};
use bluegreen::{CookieName, HeaderName, Headers, KeySource, MetadataPath, Request};
use proptest::prelude::*;

fn key(source: &KeySource, headers: &[(&str, &[u8])]) -> Option<Vec<u8>> {
    let block = block(headers);
    source.key(&request(&block)).map(|key| key.into_owned())
}

fn header(name: &str) -> KeySource {
    KeySource::Header(HeaderName::parse(name).unwrap())
}

#[track_caller]
fn assert_cookie(headers: &[&str], expected: Option<&str>) {
    let headers: Vec<_> = headers.iter().map(|it| ("cookie", it.as_bytes())).collect();
    let found = key(
        &KeySource::Cookie(CookieName::parse("uid").unwrap()),
        &headers,
    );
    assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{headers:?}");
}

#[track_caller]
fn assert_query(path: &str, expected: Option<&str>) {
    let found = key(
        &KeySource::Query("user".to_owned()),
        &[(":path", path.as_bytes())],
    );
    assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{path}");
}

/// The key of a source where Envoy knows one property.
fn of_property(source: &KeySource, path: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let property = |asked: &[u8]| (asked == path).then(|| value.to_vec());
    let request = Request {
        headers: Headers::new(&[]),
        property: &property,
    };
    source.key(&request).map(|key| key.into_owned())
}

#[test]
fn header_gives_its_first_value_that_is_not_empty() {
    let id = header("X-User-Id");
    assert_eq!(key(&id, &[]), None);
    assert_eq!(key(&id, &[("x-user-id", b"")]), None);
    assert_eq!(
        key(
            &id,
            &[("x-user-id", b""), ("x-user-id", b"7"), ("x-user-id", b"8")]
        ),
        Some(b"7".to_vec())
    );
    assert_eq!(
        key(&id, &[("x-user-id", b"\xff\0 ")]),
        Some(b"\xff\0 ".to_vec())
    );
    assert_eq!(key(&id, &[("x-user-i", b"7"), ("x-user-idx", b"8")]), None);
}

#[test]
fn cookie_is_found_among_others() {
    assert_cookie(&["uid=7"], Some("7"));
    assert_cookie(&["a=1; uid=7; b=2"], Some("7"));
    assert_cookie(&["a=1;uid=7;b=2"], Some("7"));
    assert_cookie(&["  uid = 7  ;b=2"], Some("7"));
    assert_cookie(&["uid=a=b=="], Some("a=b=="));
    assert_cookie(&["uid=7; uid=8"], Some("7"));
    assert_cookie(&["a=1", "b=2; uid=7"], Some("7"));
    assert_cookie(&["uid=\"7\""], Some("7"));
    assert_cookie(&["uid=\"7"], Some("\"7"));
    assert_cookie(&["uid=a b"], Some("a b"));
}

#[test]
fn malformed_cookies_are_passed_over() {
    assert_cookie(&[";;;=;a;uid=7"], Some("7"));
    assert_cookie(&["uid;uid=7"], Some("7"));
    assert_cookie(&["=uid=8;uid=7"], Some("7"));
    for header in [
        "", ";", ";;;=;a", "uid", "uid=", "uid= ", "uid=\"\"", "=uid", "xuid=7", "uidx=7", "UID=7",
        "a=uid=7",
    ] {
        assert_cookie(&[header], None);
    }
    assert_cookie(&[], None);
}

#[test]
fn empty_cookie_leaves_it_to_the_next() {
    assert_cookie(&["uid=; uid=7"], Some("7"));
    assert_cookie(&["uid=", "uid=\"\"", "uid=7"], Some("7"));
}

#[test]
fn query_gives_its_first_value_that_is_not_empty() {
    assert_query("/?user=7", Some("7"));
    assert_query("/v1?a=1&user=7&b=2", Some("7"));
    assert_query("/?user=a&user=b", Some("a"));
    assert_query("/?user=&user=b", Some("b"));
    assert_query("/?user=a=b", Some("a=b"));
    assert_query("/?&&user=7&", Some("7"));
    assert_query("/?user=a%20b+c", Some("a%20b+c"));
    assert_query("/?user=a?b", Some("a?b"));
    assert_query("?user=7", Some("7"));
}

#[test]
fn malformed_queries_are_passed_over() {
    for path in [
        "",
        "/",
        "/?",
        "/?&&",
        "/?user",
        "/?user=",
        "/?user&",
        "/?=7",
        "/?xuser=7",
        "/?userx=7",
        "/?User=7",
        "/user=7",
        "/?a=user=7",
        "/?a?user=7",
        "*",
    ] {
        assert_query(path, None);
    }
    assert_eq!(key(&KeySource::Query("user".to_owned()), &[]), None);
}

#[test]
fn names_that_no_parameter_can_have_are_rejected() {
    assert_eq!(KeySource::parse_query("user[id]").unwrap(), "user[id]");
    for name in ["", "a b", "a&b", "a=b", "a#b", "a?b", "ä", "a\n"] {
        let message = KeySource::parse_query(name).unwrap_err().to_string();
        assert_eq!(
            message,
            format!(
                "{name:?}, must be the name of a parameter: visible ASCII characters without '&=#?'"
            )
        );
    }
}

#[test]
fn source_ip_is_the_address_without_its_port() {
    for (address, key) in [
        ("192.0.2.1:80", "192.0.2.1"),
        ("192.0.2.1:0", "192.0.2.1"),
        ("[2001:db8::1]:65535", "2001:db8::1"),
        ("[::1]:0", "::1"),
        ("/run/envoy.sock", "/run/envoy.sock"),
        ("/run/envoy:main.sock", "/run/envoy:main.sock"),
        ("@abstract", "@abstract"),
    ] {
        let found = of_property(&KeySource::SourceIp, b"source\0address", address.as_bytes());
        assert_eq!(found.as_deref(), Some(key.as_bytes()));
    }
}

#[test]
fn property_that_is_absent_or_empty_is_no_key() {
    let metadata = KeySource::Metadata(MetadataPath::new(&["a", "b"]).unwrap());
    for source in [KeySource::SourceIp, metadata] {
        assert_eq!(key(&source, &[]), None);
    }
    for address in [&b""[..], b":80", b"[]:80", b":"] {
        let found = of_property(&KeySource::SourceIp, b"source\0address", address);
        assert_eq!(found, None, "{address:?}");
    }
}

#[test]
fn metadata_is_read_by_its_path_as_it_stands() {
    let segments = ["envoy.filters.http.jwt_authn", "payload", "sub"];
    let source = KeySource::Metadata(MetadataPath::new(&segments).unwrap());
    let path = b"metadata\0filter_metadata\0envoy.filters.http.jwt_authn\0payload\0sub";
    assert_eq!(
        of_property(&source, path, b"\xff:1"),
        Some(b"\xff:1".to_vec())
    );
    assert_eq!(of_property(&source, path, b""), None);
}

proptest! {
    #[test]
    fn any_bytes_can_be_searched_for_a_key(
        bytes: Vec<u8>,
        text in "[;=\" a&?u]{0,30}",
    ) {
        for value in [&bytes[..], text.as_bytes()] {
            let block = block(&[("cookie", value), (":path", value), ("u", value)]);
            let property = |_: &[u8]| Some(value.to_vec());
            let request = Request { headers: Headers::new(&block), property: &property };
            for source in [
                header("u"),
                KeySource::Cookie(CookieName::parse("u").unwrap()),
                KeySource::Query("u".to_owned()),
                KeySource::Metadata(MetadataPath::new(&["a", "b"]).unwrap()),
            ] {
                prop_assert!(source.key(&request).is_none_or(|key| !key.is_empty()));
            }
            let _ = KeySource::SourceIp.key(&request);
        }
    }
}
