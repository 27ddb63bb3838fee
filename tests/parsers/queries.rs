//! Parameters of a query, against the parsers of `http` and of the URL standard. Percent signs and plus signs
//! are left out: the key is what was sent, not what it stands for.

use bluegreen::{Headers, KeySource, Request};
use http::uri::PathAndQuery;
use proptest::prelude::*;

use crate::inputs::{a_million, block, text};

const PIECES: [&str; 10] = ["u", "user", "=", "&", "?", "x", "/", "&user=", "U", ";"];

fn expected(path: &str) -> Option<String> {
    let path = PathAndQuery::try_from(path).unwrap();
    let mut pairs = form_urlencoded::parse(path.query()?.as_bytes());
    pairs
        .find_map(|(name, value)| (name == "user" && !value.is_empty()).then(|| value.into_owned()))
}

proptest! {
    #![proptest_config(a_million())]
    #[test]
    fn value_is_the_one_that_a_browser_would_find(number: u128) {
        let path = format!("/{}", text(&PIECES, number));
        let block = block(&[(":path", &path)]);
        let request = Request { headers: Headers::new(&block), property: &|_| None };
        let key = KeySource::Query("user".to_owned()).key(&request);
        let key = key.map(|it| String::from_utf8(it.into_owned()).unwrap());
        prop_assert_eq!(key, expected(&path), "{}", path);
    }
}
