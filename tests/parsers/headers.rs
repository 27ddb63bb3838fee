//! The block of headers, against `http`'s map of headers.

use bluegreen::Headers;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use crate::inputs::{a_million, block, text};

const NAMES: [&str; 4] = ["a", "b", "ab", "a-longer-name"];

fn map(headers: &[(&str, &str)]) -> HeaderMap {
    let header = |&(name, value): &(&str, &str)| {
        let name = HeaderName::try_from(name).unwrap();
        (name, HeaderValue::try_from(value).unwrap())
    };
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter().map(header) {
        map.append(name, value);
    }
    map
}

proptest! {
    #![proptest_config(a_million())]
    #[test]
    fn values_are_those_of_the_map_as_far_as_the_block_goes(number: u64, cut: u8) {
        let line = text(&["a", "b", "c", ",", "d"], number.into());
        let headers: Vec<(&str, &str)> = line
            .split(',')
            .map(|value| (NAMES[value.len() % NAMES.len()], value))
            .collect();
        let whole = block(&headers);
        let length = whole.len().saturating_sub(cut.saturating_sub(200).into());
        // A header's text ends with its name, its value and a zero byte behind each.
        let mut end = 4 + headers.len() * 8;
        let complete = headers.iter().take_while(|(name, value)| {
            end += name.len() + value.len() + 2;
            end <= length
        });
        let complete = &headers[..complete.count()];
        let (read, map) = (Headers::new(&whole[..length]), map(complete));
        prop_assert_eq!(read.iter().count(), complete.len());
        for name in NAMES {
            let values = map.get_all(name).iter().map(HeaderValue::as_bytes);
            prop_assert!(read.all(name).eq(values), "{:?}", headers);
            prop_assert_eq!(read.first(name), map.get(name).map(HeaderValue::as_bytes));
        }
    }
}
