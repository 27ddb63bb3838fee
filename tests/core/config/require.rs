#[test]
fn permission_is_known() {
    let one_of = "must be one of internal, token, nothing";
    assert_require(json!("external"), &format!(": \"external\", {one_of}"));
    assert_require(json!("token"), &format!(": \"token\", {one_of}"));
    assert_require(
        json!({ "internal": true }),
        &format!(": an object, {one_of}"),
    );
    assert_require(Value::Null, &format!(": null, {one_of}"));
    assert_require(
        json!({ "tokens": {} }),
        &format!(".tokens: unknown field, {one_of}"),
    );
    assert_require(
        json!({ "token": {} }),
        ".token: header is missing, must be there",
    );
    assert_require(
        json!({ "token": { "header": "x" } }),
        ".token: sha256 is missing, must be there",
    );
    assert_require(
        json!({ "token": { "header": "te", "sha256": "" } }),
        ".token.header: \"te\", must be a header that HTTP itself does not use",
    );
}

#[test]
fn digest_is_64_hex_digits_and_what_stands_there_is_not_repeated() {
    for (bad, characters) in [
        ("s3cret".to_owned(), 6),
        (String::new(), 0),
        ("0".repeat(63), 63),
        ("0".repeat(65), 65),
        ("0".repeat(66), 66),
        ("g".repeat(64), 64),
        ("+".repeat(64), 64),
        ("ä".repeat(32), 32),
    ] {
        let require = json!({ "token": { "header": "x-token", "sha256": bad } });
        let message = format!(
            ".token.sha256: {characters} characters, must be 64 hex digits: the SHA-256 of the token"
        );
        assert_require(require, &message);
    }
    let secret =
        json!({ "header": "x", "require": { "token": { "header": "x", "sha256": "s3cret" } } });
    assert!(
        !message(
            config(&json!({ "override": secret }))
                .to_string()
                .as_bytes()
        )
        .contains("s3cret")
    );
    for good in ["0".repeat(64), "aF".repeat(32)] {
        let require = json!({ "token": { "header": "X-Token", "sha256": good } });
        assert_accepted(&config(
            &json!({ "override": { "cookie": "a", "require": require } }),
        ));
    }
}
