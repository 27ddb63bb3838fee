//! Cookies, against the `cookie` crate.

use bluegreen::{CookieName, Headers};
use cookie::Cookie;
use proptest::prelude::*;

use crate::inputs::{a_million, block, text};

const PIECES: [&str; 12] = [
    "u", "uid", "=", ";", "; ", " ", "\"", "x", "\t", "ü", "U", "==",
];

fn expected(headers: &[&str]) -> Option<String> {
    let cookies = headers
        .iter()
        .flat_map(|header| Cookie::split_parse(*header).flatten());
    let values = cookies
        .filter(|it| it.name() == "uid")
        .map(|it| it.value_trimmed().to_owned());
    values.into_iter().find(|value| !value.is_empty())
}

proptest! {
    #![proptest_config(a_million())]
    #[test]
    fn value_is_the_one_that_the_cookie_crate_finds(first: u128, second: u32) {
        let (first, second) = (text(&PIECES, first), text(&PIECES, second.into()));
        let block = block(&[("cookie", &first), ("cookies", "uid=other"), ("cookie", &second)]);
        let name = CookieName::parse("uid").unwrap();
        let value = name.value(&Headers::new(&block)).map(|it| String::from_utf8(it.to_vec()).unwrap());
        prop_assert_eq!(value, expected(&[&first, &second]), "{:?} {:?}", first, second);
    }
}
