//! A text inside another: the JSON in a scalar of YAML, and how edits of it become edits of the file.

use crate::source::yaml::Scalar;
use saphyr_parser::ScalarStyle;
use std::ops::Range;

/// A replacement of some bytes of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Which bytes.
    pub range: Range<usize>,
    /// What stands there instead.
    pub text: String,
}

/// A scalar's text, and where each piece of it stands in the text around it.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Each with its begin inside and outside, and its length outside; both in order.
    pieces: Vec<Piece>,
    encoding: Encoding,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    inside: usize,
    outside: usize,
}

#[derive(Clone, Debug)]
enum Encoding {
    /// Lines, with this between them.
    Lines(String),
    Double,
    Single,
    /// It can't be edited, and all of it is where it begins.
    Opaque,
}

// === impl Layer ===

impl Layer {
    /// The layer of a scalar that begins at a byte of `outside`.
    pub fn of(outside: &str, start: usize, scalar: &Scalar) -> Self {
        let found = match scalar.style {
            ScalarStyle::Literal => Self::literal(outside, start, scalar),
            ScalarStyle::DoubleQuoted => Self::quoted(outside, start, scalar, Encoding::Double),
            ScalarStyle::SingleQuoted => Self::quoted(outside, start, scalar, Encoding::Single),
            _ => None,
        };
        found.unwrap_or_else(|| Self {
            pieces: vec![Piece {
                inside: 0,
                outside: start,
            }],
            encoding: Encoding::Opaque,
        })
    }

    /// Lines behind an indentation. None where the file does not read so.
    fn literal(outside: &str, start: usize, scalar: &Scalar) -> Option<Self> {
        let line_start = start.checked_sub(scalar.indent)?;
        let mut line = line_start;
        // Empty lines before the first character belong to the text.
        for _ in scalar.text.bytes().take_while(|&byte| byte == b'\n') {
            line = outside.get(..line.checked_sub(1)?)?.rfind('\n')? + 1;
        }
        let blanks = " ".repeat(scalar.indent);
        let mut pieces = Vec::new();
        let mut inside = 0;
        let mut lines = outside.get(line..)?.split_inclusive('\n');
        for text in scalar.text.split_inclusive('\n') {
            let source = lines.next()?;
            let as_usual = source.strip_prefix(&*blanks) == Some(text);
            let indent = if as_usual {
                scalar.indent
            } else {
                indent_of(source, text, scalar.indent)?
            };
            pieces.push(Piece {
                inside,
                outside: line + indent,
            });
            inside += text.len();
            line += source.len();
        }
        let line_break = if outside.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let between = format!("{line_break}{blanks}");
        Some(Self {
            pieces,
            encoding: Encoding::Lines(between),
        })
    }

    /// On one line between quotes, character by character.
    fn quoted(outside: &str, start: usize, scalar: &Scalar, encoding: Encoding) -> Option<Self> {
        let is_double = matches!(encoding, Encoding::Double);
        let quote = if is_double { '"' } else { '\'' };
        let mut place = start + 1;
        let mut pieces = Vec::new();
        let mut inside = 0;
        for character in scalar.text.chars() {
            let rest = outside.get(place..)?;
            let length = encoded_length(rest, character, quote)?;
            pieces.push(Piece {
                inside,
                outside: place,
            });
            inside += character.len_utf8();
            place += length;
        }
        pieces.push(Piece {
            inside,
            outside: place,
        });
        let is_whole = outside.get(place..)?.starts_with(quote);
        is_whole.then_some(Self { pieces, encoding })
    }

    /// Whether edits can be carried over.
    pub fn is_editable(&self) -> bool {
        !matches!(self.encoding, Encoding::Opaque)
    }

    /// Where a byte of the text inside is outside.
    pub fn outside(&self, inside: usize) -> usize {
        let next = self.pieces.partition_point(|piece| piece.inside <= inside);
        let piece = next.checked_sub(1).and_then(|it| self.pieces.get(it));
        let Some(piece) = piece else {
            return 0;
        };
        match self.encoding {
            Encoding::Lines(_) => piece.outside + (inside - piece.inside),
            _ => piece.outside,
        }
    }

    /// The same edit of the text outside.
    pub fn carry(&self, edit: &Edit) -> Edit {
        let text = match &self.encoding {
            Encoding::Lines(between) => edit.text.replace('\n', between),
            Encoding::Double => {
                let quoted = serde_json::Value::from(edit.text.as_str()).to_string();
                let inside = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
                inside.unwrap_or_default().to_owned()
            }
            Encoding::Single => edit.text.replace('\'', "''"),
            Encoding::Opaque => edit.text.clone(),
        };
        Edit {
            range: self.outside(edit.range.start)..self.outside(edit.range.end),
            text,
        }
    }
}

/// By how much a line is indented that ends in another way than the text, or is empty.
fn indent_of(source: &str, text: &str, most: usize) -> Option<usize> {
    let [source, text] = [source, text].map(|line| line.trim_end_matches(['\r', '\n']));
    let indent = source.len().checked_sub(text.len())?.min(most);
    let (blanks, rest) = source.split_at_checked(indent)?;
    (rest == text && blanks.bytes().all(|byte| byte == b' ')).then_some(indent)
}

/// How many bytes a character takes between quotes; none where it does not stand there.
fn encoded_length(rest: &str, character: char, quote: char) -> Option<usize> {
    let first = rest.chars().next()?;
    match (quote, first) {
        ('"', '\\') => {
            let kind = rest.chars().nth(1)?;
            Some(match kind {
                'x' => 4,
                'u' => 6,
                'U' => 10,
                '\r' | '\n' => return None,
                other => 1 + other.len_utf8(),
            })
        }
        ('\'', '\'') => rest.starts_with("''").then_some(2),
        _ => (first == character).then_some(first.len_utf8()),
    }
}

/// A text with some replacements; none where they overlap or lie outside.
pub fn apply(text: &str, edits: &[Edit]) -> Option<String> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.range.start);
    let mut changed = String::with_capacity(text.len());
    let mut place = 0;
    for edit in edits {
        changed.push_str(text.get(place..edit.range.start)?);
        changed.push_str(&edit.text);
        place = edit.range.end;
    }
    Some(changed + text.get(place..)?)
}
