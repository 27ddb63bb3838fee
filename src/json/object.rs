//! Objects, by way of serde: structs whose fields are [`Field`]s, and enums of which an object or a
//! string names the variant. Unlike with serde_json, problems do not end the reading.

use crate::json::access::{Fields, Unread, Variant};
use crate::json::node::{Node, Read};
use crate::json::problems::Problems;
use crate::json::raw_fields::{RawField, RawFields};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use std::marker::PhantomData;

/// A field of an object, which is read as a `T`.
pub struct Field<'d, T> {
    name: &'d str,
    /// Empty where the field is absent: no JSON value is.
    json: &'d str,
    read_as: PhantomData<fn() -> T>,
}

/// Reads an object into a struct of [`Field`]s. Unknown and duplicate fields are problems.
pub fn read_object<'d, T: Deserialize<'d>>(node: &Node<'d>, problems: &mut Problems) -> Option<T> {
    T::deserialize(Object { node, problems }).ok()
}

/// The fields of an object, by name.
pub struct NamedFields<'d>(Vec<RawField<'d>>);

/// Reads an object's fields without a struct for them. Unknown and duplicate fields are problems.
pub fn read_fields<'d>(
    node: &Node<'d>,
    known: &'static [&'static str],
    problems: &mut Problems,
) -> Option<NamedFields<'d>> {
    if !node.is_object() {
        node.must_be(problems, "an object");
    }
    let fields = Object { node, problems }.fields(known);
    fields.ok().map(NamedFields)
}

/// Reads an object whose fields may have any name, so many of them at most. Duplicate ones are problems.
pub fn read_entries<'d>(
    node: &Node<'d>,
    most: usize,
    problems: &mut Problems,
) -> Option<Vec<RawField<'d>>> {
    if !node.is_object() {
        node.must_be(problems, "an object");
        return None;
    }
    let RawFields(fields) = serde_json::from_str(node.json()).ok()?;
    let count = fields.len();
    if count > most {
        node.problem(
            problems,
            format_args!("{count} fields, must be at most {most}"),
        );
        return None;
    }
    let mut object = Object { node, problems };
    for (index, (name, _)) in fields.iter().enumerate() {
        if fields.iter().take(index).any(|(it, _)| it == name) {
            object.duplicate(name);
        }
    }
    Some(fields)
}

/// Reads an enum: a string that names its variant, or an object whose only field does.
pub fn read_variant<'d, T: Deserialize<'d>>(
    node: &Node<'d>,
    must_be: &str,
    problems: &mut Problems,
) -> Option<T> {
    let before = problems.count();
    let object = Object {
        node,
        problems: &mut *problems,
    };
    let variant = T::deserialize(object).ok();
    if variant.is_none() && problems.count() == before {
        node.must_be(problems, must_be);
    }
    variant
}

// === impl NamedFields ===

impl NamedFields<'_> {
    /// A value, where it is given.
    pub fn optional<'n>(&'n self, name: &'n str, object: &'n Node<'n>) -> Option<Node<'n>> {
        let (_, json) = self.0.iter().find(|(it, _)| it == name)?;
        Some(object.field(name, json.get()))
    }

    /// A value, which must be given.
    pub fn required<'n>(
        &'n self,
        name: &'n str,
        object: &'n Node<'n>,
        problems: &mut Problems,
    ) -> Option<Node<'n>> {
        let node = self.optional(name, object);
        if node.is_none() {
            object.problem(problems, format_args!("{name} is missing, must be given"));
        }
        node
    }
}

// === impl Field ===

impl<T> Field<'_, T> {
    /// The value, where there is one.
    pub fn node<'n>(&'n self, object: &'n Node<'n>) -> Option<Node<'n>> {
        (!self.json.is_empty()).then(|| object.field(self.name, self.json))
    }

    /// The value, which must be there.
    pub fn required_node<'n>(
        &'n self,
        object: &'n Node<'n>,
        problems: &mut Problems,
    ) -> Option<Node<'n>> {
        let node = self.node(object);
        if node.is_none() {
            let missing = format_args!("{} is missing, must be given", self.name);
            object.problem(problems, missing);
        }
        node
    }
}

impl<T: Read> Field<'_, T> {
    /// Reads the value, where there is one.
    pub fn optional(&self, object: &Node<'_>, problems: &mut Problems) -> Option<T::Valid> {
        T::read(&self.node(object)?, problems)
    }

    /// Reads the value, which must be there.
    pub fn required(&self, object: &Node<'_>, problems: &mut Problems) -> Option<T::Valid> {
        T::read(&self.required_node(object, problems)?, problems)
    }
}

impl<T> Default for Field<'_, T> {
    fn default() -> Self {
        Self {
            name: "",
            json: "",
            read_as: PhantomData,
        }
    }
}

impl<'de: 'd, 'd, T> Deserialize<'de> for Field<'d, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (name, json) = Deserialize::deserialize(deserializer)?;
        let read_as = PhantomData;
        Ok(Self {
            name,
            json,
            read_as,
        })
    }
}

// === impl Object ===

/// An object that is about to be read.
struct Object<'a, 'd> {
    node: &'a Node<'d>,
    problems: &'a mut Problems,
}

impl<'d> Object<'_, 'd> {
    /// The fields that are known, each once.
    fn fields(&mut self, known: &'static [&'static str]) -> Result<Vec<RawField<'d>>, Unread> {
        if !self.node.is_object() {
            return Err(Unread);
        }
        let RawFields(mut fields) = serde_json::from_str(self.node.json()).map_err(|_| Unread)?;
        let mut seen = Vec::with_capacity(fields.len());
        fields.retain(|(name, _)| {
            let position = known.iter().position(|it| it == name);
            let is_new = !seen.contains(&position);
            match position {
                None => self.unknown(name, known),
                Some(_) if is_new => seen.push(position),
                Some(_) => self.duplicate(name),
            }
            position.is_some() && is_new
        });
        Ok(fields)
    }

    fn unknown(&mut self, name: &str, known: &[&str]) {
        let message = format_args!("unknown field, must be one of {}", known.join(", "));
        if self.node.is_secret() {
            // The name may be the secret itself.
            self.node.problem(self.problems, message);
        } else {
            self.problems.push(&self.node.path().field(name), message);
        }
    }

    fn duplicate(&mut self, name: &str) {
        let path = self.node.path().field(name);
        self.problems
            .push(&path, "duplicate field, must be given once");
    }
}

impl<'de> Deserializer<'de> for Object<'_, 'de> {
    type Error = Unread;

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unread> {
        if !self.node.is_object() {
            self.node.must_be(self.problems, "an object");
        }
        let fields = self.fields(known)?;
        visitor.visit_seq(Fields {
            names: known.iter(),
            fields,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unread> {
        let (name, content) = if self.node.is_object() {
            let mut fields = self.fields(known)?;
            let (name, json) = fields.pop().ok_or(Unread)?;
            if !fields.is_empty() {
                return Err(Unread);
            }
            (name, Some(json.get()))
        } else {
            (self.node.text().ok_or(Unread)?, None)
        };
        let (index, name) = (0..)
            .zip(known)
            .find(|&(_, known)| *known == name)
            .ok_or(Unread)?;
        visitor.visit_enum(Variant {
            index,
            name,
            content,
        })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Unread> {
        Err(Unread)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}
