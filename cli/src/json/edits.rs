//! Edits of JSON text that leave all else as it is: indentation, order, blanks.

use crate::json::tree::Tree;
use crate::source::layer::Edit;
use std::ops::Range;

/// A value in the place of another.
pub fn replace(value: &Tree, with: impl Into<String>) -> Edit {
    Edit {
        range: value.range.clone(),
        text: with.into(),
    }
}

/// An object without one of its fields.
pub fn remove_field(object: &Tree, name: &str) -> Option<Edit> {
    remove_fields(object, &[name]).pop()
}

/// An object without some of its fields. Those that follow one another go together, with the commas between them.
pub fn remove_fields(object: &Tree, names: &[&str]) -> Vec<Edit> {
    let members = object.members();
    let ranges: Vec<Range<usize>> = members.iter().map(|it| it.start..it.end()).collect();
    let mut edits = Vec::new();
    let mut index = 0;
    for run in members.chunk_by(|a, b| names.contains(&&*a.name) == names.contains(&&*b.name)) {
        if run.iter().all(|it| names.contains(&&*it.name)) {
            edits.extend(remove(&ranges, index..index + run.len()));
        }
        index += run.len();
    }
    edits
}

/// An array without its first items.
pub fn remove_first_items(array: &Tree, count: usize) -> Option<Edit> {
    let ranges: Vec<Range<usize>> = array.items().iter().map(|it| it.range.clone()).collect();
    remove(&ranges, 0..count)
}

/// Takes out some of several that commas part, with the commas that become too many.
fn remove(all: &[Range<usize>], gone: Range<usize>) -> Option<Edit> {
    let before = gone.start.checked_sub(1).and_then(|it| all.get(it));
    let next = all.get(gone.end);
    let gone = all.get(gone)?;
    let (first, last) = (gone.first()?.start, gone.last()?.end);
    let range = match (before, next) {
        (_, Some(next)) => first..next.start,
        (Some(before), None) => before.end..last,
        (None, None) => first..last,
    };
    Some(Edit {
        range,
        text: String::new(),
    })
}

/// A new field behind another of the same object, with the same blanks before it.
pub fn insert_after(document: &str, object: &Tree, after: &str, field: &str) -> Option<Edit> {
    let members = object.members();
    let index = members.iter().position(|it| it.name == after)?;
    let member = members.get(index)?;
    let before = match index.checked_sub(1).and_then(|it| members.get(it)) {
        Some(before) => before.end(),
        None => object.range.start + 1,
    };
    let between = document.get(before..member.start)?;
    let blanks = between
        .split_once(',')
        .map_or(between, |(_, behind)| behind);
    let blanks = if blanks.is_empty() { " " } else { blanks };
    Some(Edit {
        range: member.end()..member.end(),
        text: format!(",{blanks}{field}"),
    })
}
