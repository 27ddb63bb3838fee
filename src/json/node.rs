//! One value of a document: its text and its path.

use crate::json::found::Found;
use crate::json::invalid::Invalid;
use crate::json::path::Path;
use crate::json::problems::Problems;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A value that is read when it is asked for, so that each one has its own problems. Numbers keep
/// their text.
#[derive(Clone, Copy, Debug)]
pub struct Node<'n> {
    path: Path<'n>,
    json: &'n str,
    is_secret: bool,
}

/// What is read from a value.
pub trait Read {
    /// What it becomes.
    type Valid;

    /// Reads a value, or adds what is wrong with it to the problems.
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self::Valid>;
}

// === impl Node ===

impl<'n> Node<'n> {
    /// The outermost value of a document.
    pub fn root(json: &'n RawValue) -> Self {
        Self {
            path: Path::ROOT,
            json: json.get(),
            is_secret: false,
        }
    }

    /// The same value, which no message shows: it may hold a secret, by mistake or not.
    pub const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// Whether no message shows it.
    pub const fn is_secret(&self) -> bool {
        self.is_secret
    }

    /// The same value, where it is part of something larger.
    pub const fn at(mut self, path: Path<'n>) -> Self {
        self.path = path;
        self
    }

    /// A field of this object.
    pub const fn field(&'n self, name: &'n str, json: &'n str) -> Self {
        Self {
            path: self.path.field(name),
            json,
            is_secret: self.is_secret,
        }
    }

    /// An item of this array.
    pub fn item(&'n self, index: usize, json: &'n RawValue) -> Self {
        Self {
            path: self.path.item(index),
            json: json.get(),
            is_secret: self.is_secret,
        }
    }

    /// Where it is.
    pub const fn path(&self) -> &Path<'n> {
        &self.path
    }

    /// Its text in the document.
    pub const fn json(&self) -> &'n str {
        self.json
    }

    /// Whether it is an array.
    pub fn is_array(&self) -> bool {
        self.json.starts_with('[')
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.json.starts_with('{')
    }

    /// The value as a message shows it; numbers to the letter, arrays and objects without what is inside.
    pub fn found(&self) -> Found {
        match self.json.as_bytes().first() {
            _ if self.is_secret => Found::hidden(),
            Some(b'{') => Found::plain("an object"),
            Some(b'[') => Found::plain("an array"),
            Some(b'"') => Found::string(&self.text().unwrap_or_default()),
            _ => Found::plain(self.json),
        }
    }

    /// Adds a problem with this value.
    pub fn problem(&self, problems: &mut Problems, message: impl fmt::Display) {
        problems.push(&self.path, message);
    }

    /// Adds that this value is not what it must be.
    pub fn must_be(&self, problems: &mut Problems, wanted: impl fmt::Display) {
        self.problem(problems, format_args!("{}, must be {wanted}", self.found()));
    }

    /// A string.
    pub fn string(&self, problems: &mut Problems) -> Option<Cow<'n, str>> {
        let text = self.text();
        if text.is_none() {
            self.must_be(problems, "a string");
        }
        text
    }

    /// What a string stands for.
    pub fn parse<T, E: Invalid>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
        problems: &mut Problems,
    ) -> Option<T> {
        let text = self.string(problems)?;
        self.valid(parse(&text), problems)
    }

    /// A value, or the problem with it.
    pub fn valid<T, E: Invalid>(&self, parsed: Result<T, E>, problems: &mut Problems) -> Option<T> {
        parsed.map_err(|error| self.invalid(&error, problems)).ok()
    }

    fn invalid(&self, error: &dyn Invalid, problems: &mut Problems) {
        if self.is_secret {
            self.must_be(problems, error.must_be());
        } else {
            self.problem(problems, error);
        }
    }

    /// A whole number within a range.
    pub fn integer(&self, least: u64, most: u64, problems: &mut Problems) -> Option<u64> {
        let number = self.json.parse().ok();
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let range = format_args!("a whole number from {least} to {most}");
            self.must_be(problems, range);
        }
        number
    }

    /// `true` or `false`.
    pub fn boolean(&self, problems: &mut Problems) -> Option<bool> {
        let value = self.json.parse().ok();
        if value.is_none() {
            self.must_be(problems, "true or false");
        }
        value
    }

    /// The values of an array; see [`Node::item`].
    pub fn array(&self, problems: &mut Problems) -> Option<Vec<&'n RawValue>> {
        let items = self.is_array().then(|| serde_json::from_str(self.json));
        let items = items.and_then(Result::ok);
        if items.is_none() {
            self.must_be(problems, "an array");
        }
        items
    }

    /// The text of a string.
    pub fn text(&self) -> Option<Cow<'n, str>> {
        let quoted = self.json.strip_prefix('"')?.strip_suffix('"')?;
        if quoted.contains('\\') {
            serde_json::from_str(self.json).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(quoted))
        }
    }
}
