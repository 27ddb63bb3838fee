//! Server-sent events, as far as needed to know whether a stream went well.

use memchr::memchr2;

/// A stream of server-sent events that is read piece by piece, by the rules of
/// [HTML](https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream). None of it is kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventStream {
    line: Line,
    /// A line feed that comes next belongs to the end of the line before.
    ends_in_cr: bool,
    /// Whether the event at hand has a field.
    has_fields: bool,
    /// Whether the event at hand is of the type `error`.
    is_error: bool,
    has_error: bool,
}

/// How far a line has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// So many bytes of the byte order mark that a stream may begin with.
    Mark(usize),
    /// So many bytes of `event`.
    Name(usize),
    /// The colon after `event`.
    Colon,
    /// So many bytes of `error`, as the type of an event.
    Type(usize),
    /// Another type of event.
    OtherType,
    /// A field other than `event`.
    OtherField,
    /// What begins with a colon.
    Comment,
}

const MARK: &[u8] = b"\xef\xbb\xbf";
const NAME: &[u8] = b"event";
const ERROR: &[u8] = b"error";

// === impl EventStream ===

impl EventStream {
    /// Whether a response with this content type is such a stream.
    pub fn has_content_type(content_type: &[u8]) -> bool {
        let essence = content_type.split(|&byte| byte == b';').next();
        essence.is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case(b"text/event-stream"))
    }

    /// Reads the next piece.
    pub fn read(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = rest;
            if self.line.is_decided() && !matches!(byte, b'\n' | b'\r') {
                let end = memchr2(b'\n', b'\r', rest);
                bytes = end.and_then(|end| rest.get(end..)).unwrap_or_default();
            } else {
                self.take(byte);
            }
        }
    }

    fn take(&mut self, byte: u8) {
        let ends_in_cr = std::mem::take(&mut self.ends_in_cr);
        match byte {
            b'\n' if ends_in_cr => {}
            b'\n' | b'\r' => {
                self.end_line();
                self.ends_in_cr = byte == b'\r';
            }
            _ => self.line = self.line.then(byte),
        }
    }

    fn end_line(&mut self) {
        match std::mem::replace(&mut self.line, Line::Name(0)) {
            Line::Mark(0) | Line::Name(0) => {
                self.has_error |= self.is_error;
                self.is_error = false;
                self.has_fields = false;
            }
            Line::Comment => {}
            Line::Mark(_) | Line::OtherField => self.has_fields = true,
            // A name without a colon is a field without a value.
            Line::Name(length) => {
                self.has_fields = true;
                self.is_error &= length != NAME.len();
            }
            line @ (Line::Colon | Line::Type(_) | Line::OtherType) => {
                self.has_fields = true;
                self.is_error = line == Line::Type(ERROR.len());
            }
        }
    }

    /// Whether an event of the type `error` has come: nothing that follows changes the verdict.
    pub const fn has_error(&self) -> bool {
        self.has_error
    }

    /// Whether the stream, if it ends here, has failed: by an error, or in the middle of an event.
    pub const fn has_failed(&self) -> bool {
        let is_between_lines = matches!(self.line, Line::Mark(0) | Line::Name(0) | Line::Comment);
        self.has_error || self.has_fields || !is_between_lines
    }
}

// === impl Line ===

impl Default for Line {
    fn default() -> Self {
        Self::Mark(0)
    }
}

impl Line {
    /// Whether the rest of the line changes nothing.
    const fn is_decided(self) -> bool {
        matches!(self, Self::OtherType | Self::OtherField | Self::Comment)
    }

    fn then(self, byte: u8) -> Self {
        match self {
            Self::Mark(length) if MARK.get(length) == Some(&byte) => {
                let length = length.saturating_add(1);
                if length == MARK.len() {
                    Self::Name(0)
                } else {
                    Self::Mark(length)
                }
            }
            Self::Mark(0) => Self::Name(0).then(byte),
            Self::Name(0) if byte == b':' => Self::Comment,
            Self::Name(length) if NAME.get(length) == Some(&byte) => {
                Self::Name(length.saturating_add(1))
            }
            Self::Name(length) if length == NAME.len() && byte == b':' => Self::Colon,
            Self::Mark(_) | Self::Name(_) | Self::OtherField => Self::OtherField,
            Self::Colon if byte == b' ' => Self::Type(0),
            Self::Colon => Self::Type(0).then(byte),
            Self::Type(length) if ERROR.get(length) == Some(&byte) => {
                Self::Type(length.saturating_add(1))
            }
            Self::Type(_) | Self::OtherType => Self::OtherType,
            Self::Comment => Self::Comment,
        }
    }
}
