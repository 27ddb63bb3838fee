//! JSON, read value by value. Each value knows its path, and numbers keep their text.

use crate::error::{ConfigError, Problem};
use json_event_parser::{JsonEvent, SliceJsonParser};
use std::borrow::Cow;
use std::fmt;

/// A whole JSON document.
#[derive(Debug)]
pub struct Document<'j>(Value<'j>);

/// A value and its path.
#[derive(Clone, Debug)]
pub struct Node<'d> {
    path: String,
    value: &'d Value<'d>,
    is_secret: bool,
}

/// An object, all of whose fields are known and stand once.
#[derive(Debug)]
pub struct Object<'d> {
    path: String,
    fields: &'d [Field<'d>],
    is_secret: bool,
}

type Field<'j> = (Cow<'j, str>, Value<'j>);

#[derive(Debug)]
enum Value<'j> {
    Null,
    Boolean(bool),
    Number(Cow<'j, str>),
    String(Cow<'j, str>),
    Array(Vec<Value<'j>>),
    Object(Vec<Field<'j>>),
}

/// No configuration and no feedback nests deeper; a document that does can't exhaust the stack.
const MAX_DEPTH: usize = 16;

// === impl Document ===

impl<'j> Document<'j> {
    /// # Errors
    /// Where the bytes are not JSON.
    pub fn parse(json: &'j [u8]) -> Result<Self, ConfigError> {
        let mut parser = SliceJsonParser::new(json);
        Self::read(&mut parser).map_err(|problem| problem.at(""))
    }

    fn read(parser: &mut SliceJsonParser<'j>) -> Result<Self, Problem> {
        let first = next(parser)?;
        let value = Value::read(parser, first, MAX_DEPTH)?;
        match next(parser)? {
            JsonEvent::Eof => Ok(Self(value)),
            _ => Err(Problem::NotOneValue),
        }
    }

    /// The outermost value.
    pub fn root(&self) -> Node<'_> {
        Node {
            path: String::new(),
            value: &self.0,
            is_secret: false,
        }
    }
}

fn next<'j>(parser: &mut SliceJsonParser<'j>) -> Result<JsonEvent<'j>, Problem> {
    parser.parse_next().map_err(Problem::Syntax)
}

// === impl Value ===

impl<'j> Value<'j> {
    fn read(
        parser: &mut SliceJsonParser<'j>,
        first: JsonEvent<'j>,
        depth: usize,
    ) -> Result<Self, Problem> {
        let inner = depth.checked_sub(1).ok_or(Problem::TooDeep(MAX_DEPTH))?;
        Ok(match first {
            JsonEvent::Null => Self::Null,
            JsonEvent::Boolean(value) => Self::Boolean(value),
            JsonEvent::Number(text) => Self::Number(text),
            JsonEvent::String(text) => Self::String(text),
            JsonEvent::StartArray => Self::Array(Self::read_array(parser, inner)?),
            JsonEvent::StartObject => Self::Object(Self::read_object(parser, inner)?),
            _ => return Err(Problem::NotOneValue),
        })
    }

    fn read_array(parser: &mut SliceJsonParser<'j>, depth: usize) -> Result<Vec<Self>, Problem> {
        let mut values = Vec::new();
        loop {
            match next(parser)? {
                JsonEvent::EndArray => return Ok(values),
                first => values.push(Self::read(parser, first, depth)?),
            }
        }
    }

    fn read_object(
        parser: &mut SliceJsonParser<'j>,
        depth: usize,
    ) -> Result<Vec<Field<'j>>, Problem> {
        let mut fields = Vec::new();
        while let JsonEvent::ObjectKey(name) = next(parser)? {
            let first = next(parser)?;
            fields.push((name, Self::read(parser, first, depth)?));
        }
        Ok(fields)
    }
}

impl fmt::Display for Value<'_> {
    /// As it stands in the document, but for what is inside arrays and objects.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => value.fmt(f),
            Self::Number(text) => f.write_str(text),
            Self::String(text) => write!(f, "{text:?}"),
            Self::Array(_) => f.write_str("an array"),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

// === impl Node ===

impl<'d> Node<'d> {
    /// The same value, which no message will show: where a secret may stand, by mistake or not.
    pub fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// The value as a message shows it; numbers to the letter.
    pub fn text(&self) -> String {
        if self.is_secret {
            "a value that is not shown".to_owned()
        } else {
            self.value.to_string()
        }
    }

    /// Whether it is an array.
    pub const fn is_array(&self) -> bool {
        matches!(self.value, Value::Array(_))
    }

    /// Says that something is wrong here.
    pub fn error(&self, problem: Problem) -> ConfigError {
        problem.at(&self.path)
    }

    /// An object with no other fields than these.
    pub fn object(&self, known: &'static [&'static str]) -> Result<Object<'d>, ConfigError> {
        let Value::Object(fields) = self.value else {
            return Err(self.wrong_type("an object"));
        };
        let object = Object {
            path: self.path.clone(),
            fields,
            is_secret: self.is_secret,
        };
        for (index, (name, _)) in fields.iter().enumerate() {
            if !known.contains(&name.as_ref()) {
                let path = if self.is_secret {
                    &self.path
                } else {
                    &object.path_of(name)
                };
                return Err(Problem::UnknownField(known).at(path));
            }
            if fields.iter().take(index).any(|(it, _)| it == name) {
                return Err(Problem::RepeatedField.at(&object.path_of(name)));
            }
        }
        Ok(object)
    }

    /// The values of an array.
    pub fn array(&self) -> Result<Vec<Self>, ConfigError> {
        let Value::Array(values) = self.value else {
            return Err(self.wrong_type("an array"));
        };
        let node = |(index, value)| Self {
            path: format!("{}[{index}]", self.path),
            value,
            is_secret: self.is_secret,
        };
        Ok(values.iter().enumerate().map(node).collect())
    }

    /// A string.
    pub fn string(&self) -> Result<&'d str, ConfigError> {
        match self.value {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong_type("a string")),
        }
    }

    /// A whole number within a range.
    pub fn integer(&self, least: u64, most: u64) -> Result<u64, ConfigError> {
        let number = match self.value {
            Value::Number(text) => text.parse().ok(),
            _ => None,
        };
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| {
                let found = self.text();
                self.error(Problem::Integer { found, least, most })
            })
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Result<bool, ConfigError> {
        match self.value {
            Value::Boolean(value) => Ok(*value),
            _ => Err(self.wrong_type("true or false")),
        }
    }

    /// What a string stands for.
    pub fn parse<T>(&self, parse: fn(&str) -> Result<T, Problem>) -> Result<T, ConfigError> {
        parse(self.string()?).map_err(|problem| match problem {
            Problem::HeaderName(_) if self.is_secret => self.wrong_type("a header's name"),
            problem => self.error(problem),
        })
    }

    /// One of several things: either its name alone, or an object whose only field has that name.
    pub fn choice(
        &self,
        known: &'static [&'static str],
        allowed: &'static str,
    ) -> Result<(&'d str, Option<Self>), ConfigError> {
        match self.value {
            Value::String(name) if known.contains(&name.as_ref()) => Ok((name, None)),
            Value::Object(_) => {
                let object = self.object(known)?;
                let [(name, value)] = object.fields else {
                    return Err(self.no_choice(allowed));
                };
                let node = object.node(name, value);
                Ok((name, Some(node)))
            }
            _ => Err(self.no_choice(allowed)),
        }
    }

    /// Says that this is none of several things.
    pub fn no_choice(&self, allowed: &'static str) -> ConfigError {
        self.error(Problem::NoChoice(self.text(), allowed))
    }

    fn wrong_type(&self, wanted: &'static str) -> ConfigError {
        self.error(Problem::WrongType(self.text(), wanted))
    }
}

// === impl Object ===

impl<'d> Object<'d> {
    /// A field that may be left out.
    pub fn optional(&self, name: &str) -> Option<Node<'d>> {
        let (_, value) = self.fields.iter().find(|(it, _)| it == name)?;
        Some(self.node(name, value))
    }

    /// A field that must be there.
    pub fn required(&self, name: &'static str) -> Result<Node<'d>, ConfigError> {
        self.optional(name)
            .ok_or_else(|| Problem::Missing(name).at(&self.path))
    }

    fn node(&self, name: &str, value: &'d Value<'d>) -> Node<'d> {
        Node {
            path: self.path_of(name),
            value,
            is_secret: self.is_secret,
        }
    }

    fn path_of(&self, name: &str) -> String {
        let dot = if self.path.is_empty() { "" } else { "." };
        format!("{}{dot}{}", self.path, name.escape_debug())
    }
}
