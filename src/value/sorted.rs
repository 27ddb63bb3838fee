//! Small sorted lists, made when a configuration arrives.

use std::cmp::Ordering;

/// The items in order. Sorts by insertion: the sorts of the standard library are 20 KB of Wasm.
pub(crate) fn sorted<T>(
    items: impl IntoIterator<Item = T>,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    let mut sorted = Vec::new();
    for item in items {
        let place = sorted.partition_point(|before| compare(before, &item) != Ordering::Greater);
        sorted.insert(place, item);
    }
    sorted
}
