//! A configuration's JSON, read value by value. Each value knows its path, and numbers keep their text.

use crate::error::{ConfigError, Problem};
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// A value and its path.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    path: String,
    raw: &'a RawValue,
}

/// An object, all of whose fields are known and stand once.
#[derive(Debug)]
pub struct Object<'a> {
    path: String,
    fields: Fields<'a>,
}

type Fields<'a> = Vec<(String, &'a RawValue)>;

struct FieldsVisitor;

// === impl Node ===

impl<'a> Node<'a> {
    /// The whole configuration.
    ///
    /// # Errors
    /// Where the text is not JSON.
    pub fn root(json: &'a [u8]) -> Result<Self, ConfigError> {
        let text = std::str::from_utf8(json).map_err(|_| Problem::NotUtf8.at(""))?;
        let raw = serde_json::from_str(text).map_err(|error| Problem::Syntax(error).at(""))?;
        Ok(Self {
            path: String::new(),
            raw,
        })
    }

    /// The JSON text of the value.
    pub fn text(&self) -> &'a str {
        self.raw.get()
    }

    /// Says that something is wrong here.
    pub fn error(&self, problem: Problem) -> ConfigError {
        problem.at(self.path.clone())
    }

    /// An object with no other fields than these.
    pub fn object(&self, known: &'static [&'static str]) -> Result<Object<'a>, ConfigError> {
        let mut reader = serde_json::Deserializer::from_str(self.text());
        let fields = reader
            .deserialize_map(FieldsVisitor)
            .map_err(|_| self.wrong_type("an object"))?;
        let object = Object {
            path: self.path.clone(),
            fields,
        };
        for (index, (name, _)) in object.fields.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(Problem::UnknownField(known).at(object.path_of(name)));
            }
            if object.fields.iter().take(index).any(|(it, _)| it == name) {
                return Err(Problem::RepeatedField.at(object.path_of(name)));
            }
        }
        Ok(object)
    }

    /// The values of an array.
    pub fn array(&self) -> Result<Vec<Self>, ConfigError> {
        let values: Vec<&RawValue> =
            serde_json::from_str(self.text()).map_err(|_| self.wrong_type("an array"))?;
        let node = |(index, raw)| Self {
            path: format!("{}[{index}]", self.path),
            raw,
        };
        Ok(values.into_iter().enumerate().map(node).collect())
    }

    /// A string.
    pub fn string(&self) -> Result<String, ConfigError> {
        serde_json::from_str(self.text()).map_err(|_| self.wrong_type("a string"))
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Result<bool, ConfigError> {
        serde_json::from_str(self.text()).map_err(|_| self.wrong_type("true or false"))
    }

    /// What a string stands for.
    pub fn parse<T>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Result<T, ConfigError> {
        parse(&self.string()?).map_err(|problem| self.error(problem))
    }

    /// One of several things: either its name alone, or an object whose only field has that name.
    pub fn choice(
        &self,
        known: &'static [&'static str],
    ) -> Result<(String, Option<Self>), ConfigError> {
        let name = if self.text().starts_with('{') {
            let object = self.object(known)?;
            if let [(name, raw)] = object.fields.as_slice() {
                let path = object.path_of(name);
                return Ok((name.clone(), Some(Self { path, raw })));
            }
            None
        } else {
            self.string().ok()
        };
        name.filter(|name| known.contains(&name.as_str()))
            .map(|name| (name, None))
            .ok_or_else(|| self.error(Problem::NoChoice(self.text().to_owned(), known)))
    }

    fn wrong_type(&self, wanted: &'static str) -> ConfigError {
        self.error(Problem::WrongType(self.text().to_owned(), wanted))
    }
}

// === impl Object ===

impl<'a> Object<'a> {
    /// A field that may be left out.
    pub fn optional(&self, name: &str) -> Option<Node<'a>> {
        let (_, raw) = self.fields.iter().find(|(it, _)| it == name)?;
        let path = self.path_of(name);
        Some(Node { path, raw })
    }

    /// A field that must be there.
    pub fn required(&self, name: &'static str) -> Result<Node<'a>, ConfigError> {
        self.optional(name)
            .ok_or_else(|| Problem::Missing(name).at(self.path.clone()))
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}

// === impl FieldsVisitor ===

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
        Ok(fields)
    }
}
