//! The cookie for a user who has no key yet.

use bluegreen::{
    CookieAttributes, CookieDomain, CookieName, CookiePath, NewCookie, NewId, SameSite,
};
use std::time::Duration;

fn attributes() -> CookieAttributes {
    CookieAttributes {
        max_age: None,
        path: CookiePath::default(),
        domain: None,
        same_site: SameSite::Lax,
        secure: false,
    }
}

#[track_caller]
fn assert_set_cookie(attributes: CookieAttributes, expected: &str) {
    let id = NewId::random(&mut fastrand::Rng::with_seed(1));
    let cookie = NewCookie::new(CookieName::parse("bg").unwrap(), attributes).unwrap();
    assert_eq!(cookie.render(id), format!("bg={id}{expected}"));
}

#[test]
fn new_cookie_is_written_with_its_attributes() {
    assert_set_cookie(attributes(), "; Path=/; SameSite=Lax; HttpOnly");
    let all = CookieAttributes {
        max_age: Some(Duration::from_secs(30 * 86_400)),
        path: CookiePath::parse("/v1").unwrap(),
        domain: Some(CookieDomain::parse("example.com").unwrap()),
        same_site: SameSite::None,
        secure: true,
    };
    assert_set_cookie(
        all,
        "; Path=/v1; Domain=example.com; Max-Age=2592000; SameSite=None; Secure; HttpOnly",
    );
    let strict = CookieAttributes {
        same_site: SameSite::Strict,
        ..attributes()
    };
    assert_set_cookie(strict, "; Path=/; SameSite=Strict; HttpOnly");
}

#[test]
fn new_ids_are_32_hex_digits_and_never_the_same() {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut ids: Vec<String> = (0..10_000)
        .map(|_| NewId::random(&mut rng).to_string())
        .collect();
    let is_hex =
        |id: &String| id.len() == 32 && id.bytes().all(|it| b"0123456789abcdef".contains(&it));
    assert!(ids.iter().all(is_hex));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10_000);
}
