//! The fields of an object as they are in a document: in their order, duplicates too.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A name and a value.
pub type RawField<'d> = (Cow<'d, str>, &'d RawValue);

/// The fields of an object as they are in the document.
pub struct RawFields<'d>(pub Vec<RawField<'d>>);

/// A field's name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'d>(#[serde(borrow)] Cow<'d, str>);

// === impl RawFields ===

impl<'de: 'd, 'd> Deserialize<'de> for RawFields<'d> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RawVisitor;

        impl<'de> Visitor<'de> for RawVisitor {
            type Value = RawFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((Name(name), json)) = map.next_entry()? {
                    fields.push((name, json));
                }
                Ok(RawFields(fields))
            }
        }

        deserializer.deserialize_map(RawVisitor)
    }
}
