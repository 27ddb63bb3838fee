//! Where the key may stand.

use super::{assert_accepted, assert_field};
use crate::support::config;
use serde_json::{Value, json};

const ONE_OF: &str = "must be \"source_ip\", or an object with one of header, cookie, query, metadata and new_cookie";

#[track_caller]
fn assert_source(source: Value, expected: &str) {
    assert_field(
        "sticky",
        json!(["source_ip", source]),
        &format!("[1]{expected}"),
    );
}

#[track_caller]
fn assert_new_cookie(fields: Value, expected: &str) {
    assert_source(
        json!({ "new_cookie": fields }),
        &format!(".new_cookie{expected}"),
    );
}

#[test]
fn sources_are_known() {
    assert_field(
        "sticky",
        json!({ "header": "x" }),
        ": an object, must be an array",
    );
    assert_source(json!("ip"), &format!(": \"ip\", {ONE_OF}"));
    assert_source(json!("header"), &format!(": \"header\", {ONE_OF}"));
    assert_source(json!(7), &format!(": 7, {ONE_OF}"));
    assert_source(Value::Null, &format!(": null, {ONE_OF}"));
    assert_source(json!([]), &format!(": an array, {ONE_OF}"));
    assert_source(json!({}), &format!(": an object, {ONE_OF}"));
    assert_source(
        json!({ "source_ip": true }),
        &format!(": an object, {ONE_OF}"),
    );
    let two = format!(": an object, {ONE_OF}");
    assert_source(json!({ "cookie": "a", "header": "b" }), &two);
    assert_source(
        json!({ "headers": "a" }),
        ".headers: unknown field, must be one of header, cookie, query, metadata, source_ip, new_cookie",
    );
}

#[test]
fn names_of_sources_are_checked() {
    let header =
        "must be a header name of 1 to 255 letters, digits and !#$%&'*+-.^_`|~ (no pseudo-header)";
    assert_source(
        json!({ "header": ":path" }),
        &format!(".header: \":path\", {header}"),
    );
    assert_source(
        json!({ "header": ["a"] }),
        ".header: an array, must be a string",
    );
    let cookie = "must be a cookie name: letters, digits and !#$%&'*+-.^_`|~";
    for bad in ["", "a=b", "a;b", "a b", "ä"] {
        assert_source(
            json!({ "cookie": bad }),
            &format!(".cookie: {bad:?}, {cookie}"),
        );
        assert_new_cookie(json!({ "name": bad }), &format!(".name: {bad:?}, {cookie}"));
    }
    let query = "must be the name of a parameter: visible ASCII characters without '&=#?'";
    assert_source(
        json!({ "query": "a=b" }),
        &format!(".query: \"a=b\", {query}"),
    );
}

#[test]
fn metadata_has_a_namespace_and_a_key() {
    let rule = "must be the namespace of a filter and one key or more, none of them empty";
    for (path, shown) in [
        (json!([]), "[]"),
        (json!(["ns"]), r#"["ns"]"#),
        (json!(["ns", ""]), r#"["ns", ""]"#),
        (json!(["", "key"]), r#"["", "key"]"#),
        (json!(["ns", "a\0b"]), r#"["ns", "a\0b"]"#),
    ] {
        assert_source(
            json!({ "metadata": path }),
            &format!(".metadata: {shown}, {rule}"),
        );
    }
    assert_source(
        json!({ "metadata": "ns.key" }),
        ".metadata: \"ns.key\", must be an array",
    );
    assert_source(
        json!({ "metadata": ["ns", 1] }),
        ".metadata[1]: 1, must be a string",
    );
}

#[test]
fn new_cookie_stands_last() {
    let new_cookie = json!({ "new_cookie": { "name": "a" } });
    let behind = ": a source after new_cookie, must be before it";
    assert_field(
        "sticky",
        json!([new_cookie, "source_ip"]),
        &format!("[1]{behind}"),
    );
    assert_field(
        "sticky",
        json!([new_cookie, new_cookie]),
        &format!("[1]{behind}"),
    );
}

#[test]
fn new_cookie_is_one_that_browsers_take() {
    assert_new_cookie(json!({}), ": name is missing, must be given");
    assert_new_cookie(json!("a"), ": \"a\", must be an object");
    assert_new_cookie(
        json!({ "name": "a", "http_only": true }),
        ".http_only: unknown field, must be one of name, max_age, path, domain, same_site, secure",
    );
    for (fields, message) in [
        (
            json!({ "path": "v1" }),
            ".path: \"v1\", must be a path of visible ASCII characters without ';' that begins with '/'",
        ),
        (
            json!({ "path": "/;a" }),
            ".path: \"/;a\", must be a path of visible ASCII characters without ';' that begins with '/'",
        ),
        (json!({ "path": 1 }), ".path: 1, must be a string"),
        (
            json!({ "domain": "" }),
            ".domain: \"\", must be a domain of visible ASCII characters without ';'",
        ),
        (
            json!({ "domain": "a;b" }),
            ".domain: \"a;b\", must be a domain of visible ASCII characters without ';'",
        ),
        (
            json!({ "same_site": "Lax" }),
            ".same_site: \"Lax\", must be strict, lax or none",
        ),
        (
            json!({ "same_site": "none" }),
            ": same_site none without secure, must be secure",
        ),
        (
            json!({ "same_site": "none", "secure": false }),
            ": same_site none without secure, must be secure",
        ),
        (
            json!({ "secure": "true" }),
            ".secure: \"true\", must be true or false",
        ),
        (json!({ "max_age": 30 }), ".max_age: 30, must be a string"),
        (
            json!({ "max_age": "30" }),
            ".max_age: \"30\", must be a duration such as \"500ms\", \"30s\", \"10m\", \"1h 30m\" or \"30d\"",
        ),
        (
            json!({ "max_age": "0s" }),
            ".max_age: \"0s\", must be whole seconds, 1 or more",
        ),
        (
            json!({ "max_age": "1500ms" }),
            ".max_age: \"1500ms\", must be whole seconds, 1 or more",
        ),
    ] {
        let mut fields = fields;
        fields["name"] = json!("a");
        assert_new_cookie(fields, message);
    }
}

#[test]
fn prefixes_of_cookie_names_promise_attributes() {
    let rule = "a name with __Secure- or __Host-, must be secure, and with __Host- without domain and with path /";
    for fields in [
        json!({ "name": "__Secure-a" }),
        json!({ "name": "__secure-a" }),
        json!({ "name": "__Host-a" }),
        json!({ "name": "__Host-a", "secure": true, "path": "/v1" }),
        json!({ "name": "__host-a", "secure": true, "domain": "a.example" }),
    ] {
        assert_new_cookie(fields, &format!(": {rule}"));
    }
    for fields in [
        json!({ "name": "__Secure-a", "secure": true, "path": "/v1", "domain": "a.example" }),
        json!({ "name": "__Host-a", "secure": true }),
    ] {
        assert_accepted(&config(&json!({ "sticky": [{ "new_cookie": fields }] })));
    }
}
