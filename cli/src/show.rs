//! Values as reports show them.

use bluegreen::{Color, KeySource, Percent, Weights};
use serde_json::{Value, json};
use similar::TextDiff;
use std::fmt;

/// A text that may hold anything, as a line shows it.
#[derive(Debug)]
pub struct Shown(String);

// === impl Shown ===

impl Shown {
    const MAX_CHARS: usize = 200;

    /// Bytes, in quotes.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self(format!("{:?}", cut(&String::from_utf8_lossy(bytes))))
    }

    /// A path, without quotes.
    pub fn path(path: &str) -> Self {
        Self(cut(path).escape_debug().to_string())
    }

    /// A value of JSON on one line.
    pub fn json(value: &Value) -> Self {
        Self(cut(&value.to_string()))
    }
}

fn cut(text: &str) -> String {
    let end = text.char_indices().nth(Shown::MAX_CHARS);
    match end.and_then(|(end, _)| text.get(..end)) {
        Some(start) => format!("{start}…"),
        None => text.to_owned(),
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A source of the key in a few words.
pub fn source_name(source: &KeySource) -> String {
    match source {
        KeySource::Header(name) => format!("header {}", name.as_str()),
        KeySource::Cookie(name) => format!("cookie {}", name.as_str()),
        KeySource::Query(name) => format!("query parameter {name}"),
        KeySource::Metadata(path) => {
            let segments = path.segments().map(String::from_utf8_lossy);
            let segments: Vec<_> = segments.collect();
            format!("metadata {}", segments.join("/"))
        }
        KeySource::SourceIp => "the client's address".to_owned(),
    }
}

/// A percentage as a number of JSON.
pub fn percent_json(percent: Percent) -> Value {
    let text = percent.to_string();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// Weights as in the configuration.
pub fn weights_json(weights: Weights) -> Value {
    let of = |color| percent_json(weights.of(color));
    json!({ "blue": of(Color::Blue), "green": of(Color::Green) })
}

/// Weights on one line.
pub fn weights_text(weights: Weights) -> String {
    let (blue, green) = (weights.of(Color::Blue), weights.of(Color::Green));
    format!("blue {blue} %, green {green} %")
}

/// The unified diff between two versions of a file.
pub fn unified_diff(name: &str, before: &str, after: &str) -> String {
    let lines = TextDiff::from_lines(before, after);
    lines.unified_diff().header(name, name).to_string()
}
