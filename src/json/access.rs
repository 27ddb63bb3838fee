//! How serde gets at the fields of an object, and at the variant that an object or a string names.

use crate::json::raw_fields::RawField;
use serde::de::value::{BorrowedStrDeserializer, SeqDeserializer, U32Deserializer};
use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer, SeqAccess, VariantAccess, Visitor};
use std::fmt;

/// A field's name and text, as [`Field`] takes them.
fn field<'d>(
    name: &'d str,
    json: &'d str,
) -> SeqDeserializer<std::array::IntoIter<BorrowedStrDeserializer<'d, Unread>, 2>, Unread> {
    SeqDeserializer::new([name, json].map(BorrowedStrDeserializer::new).into_iter())
}

/// All fields that a struct has, given or not, in its order.
pub struct Fields<'d> {
    /// Their names.
    pub names: std::slice::Iter<'static, &'static str>,
    /// Those that are given.
    pub fields: Vec<RawField<'d>>,
}

impl<'d> SeqAccess<'d> for Fields<'d> {
    type Error = Unread;

    fn next_element_seed<T: DeserializeSeed<'d>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unread> {
        let Some(name) = self.names.next() else {
            return Ok(None);
        };
        let given = self.fields.iter().find(|(it, _)| it == name);
        let json = given.map_or("", |(_, json)| json.get());
        seed.deserialize(field(name, json)).map(Some)
    }
}

// === impl Variant ===

/// One variant of an enum, with what its field holds.
pub struct Variant<'d> {
    /// Its index in the enum.
    pub index: u32,
    /// Its name.
    pub name: &'static str,
    /// The value of the field, where an object names the variant.
    pub content: Option<&'d str>,
}

impl<'d> EnumAccess<'d> for Variant<'d> {
    type Error = Unread;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'d>>(self, seed: V) -> Result<(V::Value, Self), Unread> {
        let index: U32Deserializer<Unread> = self.index.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'d> VariantAccess<'d> for Variant<'d> {
    type Error = Unread;

    fn unit_variant(self) -> Result<(), Unread> {
        self.content.map_or(Ok(()), |_| Err(Unread))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'d>>(self, seed: T) -> Result<T::Value, Unread> {
        seed.deserialize(field(self.name, self.content.ok_or(Unread)?))
    }

    fn tuple_variant<V: Visitor<'d>>(self, _: usize, _: V) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    fn struct_variant<V: Visitor<'d>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Unread> {
        Err(Unread)
    }
}

// === impl Unread ===

/// A value could not be read. What is wrong is among the problems.
#[derive(Debug)]
pub struct Unread;

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value could not be read")
    }
}

impl std::error::Error for Unread {}

impl serde::de::Error for Unread {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self
    }
}
