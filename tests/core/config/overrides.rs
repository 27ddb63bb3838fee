//! `override`, and who may use it.

use super::assert_field;
use serde_json::json;

#[test]
fn override_says_where_and_who() {
    let nowhere = ": header and cookie are missing, must be given one of them or both";
    assert_field("override", json!({ "require": "nothing" }), nowhere);
    assert_field(
        "override",
        json!({}),
        &format!("{nowhere}\nrollouts[0].override: require is missing, must be given"),
    );
    assert_field(
        "override",
        json!({ "cookie": "a" }),
        ": require is missing, must be given",
    );
    assert_field(
        "override",
        json!("nothing"),
        ": \"nothing\", must be an object",
    );
    assert_field(
        "override",
        json!({ "header": "x y", "require": "nothing" }),
        ".header: \"x y\", must be a header name of 1 to 255 letters, digits and !#$%&'*+-.^_`|~ (no pseudo-header)",
    );
    assert_field(
        "override",
        json!({ "cookie": "x y", "require": "nothing" }),
        ".cookie: \"x y\", must be a cookie name: letters, digits and !#$%&'*+-.^_`|~",
    );
    assert_field(
        "override",
        json!({ "headers": "x", "header": "x", "require": "internal" }),
        ".headers: unknown field, must be one of header, cookie, require",
    );
}
