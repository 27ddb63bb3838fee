//! YAML as a tree whose nodes know where they begin.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

/// A node of a YAML document.
#[derive(Clone, Debug)]
pub struct Yaml {
    /// The byte at which it begins. For a block scalar that of its first character behind the indentation.
    pub start: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A text, a number and the like.
    Scalar(Scalar),
    /// Keys and values in their order.
    Mapping(Vec<(Yaml, Yaml)>),
    /// Items.
    Sequence(Vec<Yaml>),
    /// A reference to another node, which is not followed.
    Alias,
}

/// A scalar as the file has it.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// Its text, decoded.
    pub text: String,
    /// How it is written.
    pub style: ScalarStyle,
    /// The column at which it begins, from 0: of a block scalar its indentation.
    pub indent: usize,
}

/// Why a text is no YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidYaml {
    /// The byte at which it is not.
    pub offset: usize,
    /// What is wrong there.
    pub message: String,
}

struct Builder<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// The byte of each character, where the two differ.
    bytes: Option<Vec<usize>>,
    length: usize,
}

// === impl Yaml ===

impl Yaml {
    /// No file that Envoy reads nests deeper.
    const MAX_DEPTH: usize = 100;

    /// Reads all documents of a text.
    ///
    /// # Errors
    /// Where it is not YAML.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, InvalidYaml> {
        let mut builder = Builder::new(text);
        let mut documents = Vec::new();
        loop {
            match builder.next()? {
                None | Some((Event::StreamEnd, _)) => return Ok(documents),
                Some((Event::DocumentStart(_), _)) => {
                    let (event, span) = builder.must_be()?;
                    documents.push(builder.node(event, span, 0)?);
                }
                Some(_) => {}
            }
        }
    }

    /// The value of a key of this mapping.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        let Kind::Mapping(entries) = &self.kind else {
            return None;
        };
        let (_, value) = entries.iter().find(|(it, _)| it.text() == Some(key))?;
        Some(value)
    }

    /// The text of this scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Itself and all nodes within, each before those within it.
    pub fn all(&self) -> Vec<&Yaml> {
        let mut found = Vec::new();
        let mut open = vec![self];
        while let Some(node) = open.pop() {
            found.push(node);
            match &node.kind {
                Kind::Mapping(entries) => open.extend(entries.iter().rev().map(|(_, it)| it)),
                Kind::Sequence(items) => open.extend(items.iter().rev()),
                Kind::Scalar(_) | Kind::Alias => {}
            }
        }
        found
    }
}

// === impl Builder ===

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        let bytes = (!text.is_ascii()).then(|| text.char_indices().map(|(byte, _)| byte).collect());
        Self {
            parser: Parser::new_from_str(text),
            bytes,
            length: text.len(),
        }
    }

    fn byte(&self, character: usize) -> usize {
        match &self.bytes {
            None => character.min(self.length),
            Some(bytes) => bytes.get(character).copied().unwrap_or(self.length),
        }
    }

    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, InvalidYaml> {
        let next = self.parser.next_event().transpose();
        next.map_err(|error| InvalidYaml {
            offset: self.byte(error.marker().index()),
            message: error.info().to_owned(),
        })
    }

    fn must_be(&mut self) -> Result<(Event<'t>, Span), InvalidYaml> {
        self.next()?.ok_or_else(|| InvalidYaml {
            offset: self.length,
            message: "unexpected end".to_owned(),
        })
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Yaml, InvalidYaml> {
        let start = self.byte(span.start.index());
        if depth > Yaml::MAX_DEPTH {
            return Err(InvalidYaml {
                offset: start,
                message: format!("nested deeper than {} levels", Yaml::MAX_DEPTH),
            });
        }
        let kind = match event {
            Event::Scalar(text, style, ..) => Kind::Scalar(Scalar {
                text: text.into_owned(),
                style,
                indent: span.start.col(),
            }),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.must_be()? {
                        (Event::SequenceEnd, _) => break Kind::Sequence(items),
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    match self.must_be()? {
                        (Event::MappingEnd, _) => break Kind::Mapping(entries),
                        (event, span) => {
                            let key = self.node(event, span, depth + 1)?;
                            let (event, span) = self.must_be()?;
                            entries.push((key, self.node(event, span, depth + 1)?));
                        }
                    }
                }
            }
            _ => Kind::Alias,
        };
        Ok(Yaml { start, kind })
    }
}
