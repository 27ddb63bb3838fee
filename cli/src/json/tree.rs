//! JSON whose values know where they stand.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// A value and the bytes that it takes.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Its bytes in the document.
    pub range: Range<usize>,
    /// What is in it.
    pub inside: Inside,
}

/// What is in a value.
#[derive(Clone, Debug)]
pub enum Inside {
    /// Fields, in their order, duplicates too.
    Object(Vec<Member>),
    /// Items.
    Array(Vec<Tree>),
    /// A string, a number, a boolean or null: its text.
    Leaf(String),
}

/// A field of an object.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name, decoded.
    pub name: String,
    /// The byte at which its name begins, with the quote.
    pub start: usize,
    /// Its value.
    pub value: Tree,
}

#[derive(serde::Deserialize)]
struct Name<'d>(#[serde(borrow)] Cow<'d, str>);

struct Fields<'d>(Vec<(Name<'d>, &'d RawValue)>);

// === impl Tree ===

impl Tree {
    /// The tree of a document; none where it is not JSON.
    pub fn parse(document: &str) -> Option<Self> {
        let root: &RawValue = serde_json::from_str(document).ok()?;
        Self::of(document, root)
    }

    fn of(document: &str, raw: &RawValue) -> Option<Self> {
        let range = range_in(document, raw.get());
        let inside = match raw.get().as_bytes().first()? {
            b'{' => {
                let Fields(fields) = serde_json::from_str(raw.get()).ok()?;
                let mut members: Vec<Member> = Vec::with_capacity(fields.len());
                for (Name(name), value) in fields {
                    let value = Self::of(document, value)?;
                    let before = members.last().map_or(range.start + 1, Member::end);
                    let between = document.get(before..value.range.start)?;
                    members.push(Member {
                        name: name.into_owned(),
                        start: before + between.find('"')?,
                        value,
                    });
                }
                Inside::Object(members)
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
                let items = items.into_iter().map(|item| Self::of(document, item));
                Inside::Array(items.collect::<Option<_>>()?)
            }
            _ => Inside::Leaf(raw.get().to_owned()),
        };
        Some(Self { range, inside })
    }

    /// The fields of this object; none of anything else.
    pub fn members(&self) -> &[Member] {
        match &self.inside {
            Inside::Object(members) => members,
            _ => &[],
        }
    }

    /// The items of this array; none of anything else.
    pub fn items(&self) -> &[Tree] {
        match &self.inside {
            Inside::Array(items) => items,
            _ => &[],
        }
    }

    /// The value of a field of this object.
    pub fn get(&self, name: &str) -> Option<&Tree> {
        self.members()
            .iter()
            .find(|it| it.name == name)
            .map(|it| &it.value)
    }

    /// The text of a number or the like, as it stands there.
    pub fn leaf(&self) -> Option<&str> {
        match &self.inside {
            Inside::Leaf(text) => Some(text),
            _ => None,
        }
    }

    /// The text of this string.
    pub fn string(&self) -> Option<String> {
        serde_json::from_str(self.leaf()?).ok()
    }

    /// Where a path such as `rollouts[1].weights` leads: the byte at which the field's name or the item begins,
    /// or as far as the path can be followed. With `last`, the last of several fields of the same name.
    pub fn find(&self, path: &str, last: bool) -> usize {
        self.follow(path, last).unwrap_or(self.range.start)
    }

    fn follow(&self, path: &str, last: bool) -> Option<usize> {
        let path = path.strip_prefix('.').unwrap_or(path);
        if path.is_empty() {
            return None;
        }
        if let Some(rest) = path.strip_prefix('[') {
            let (index, rest) = rest.split_once(']')?;
            let item = self.items().get(index.parse::<usize>().ok()?)?;
            return Some(item.follow(rest, last).unwrap_or(item.range.start));
        }
        let leads = |member: &&Member| {
            let name = member.name.escape_debug().to_string();
            let rest = path.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let mut members = self.members().iter().filter(leads);
        let member = if last {
            members.next_back()
        } else {
            members.next()
        }?;
        let rest = path.get(member.name.escape_debug().to_string().len()..)?;
        Some(member.value.follow(rest, last).unwrap_or(member.start))
    }
}

/// Where a part of a document stands in it.
fn range_in(document: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(document.as_ptr() as usize);
    start..start + part.len()
}

// === impl Member ===

impl Member {
    /// The byte behind its value.
    pub fn end(&self) -> usize {
        self.value.range.end
    }
}

// === impl Fields ===

impl<'de: 'd, 'd> Deserialize<'de> for Fields<'d> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}
