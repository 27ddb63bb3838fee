//! Finds the plugin's configuration in a file: ECDS, a bootstrap, a ConfigMap of either, or plain JSON.

use crate::source::layer::{Edit, Layer, apply};
use crate::source::place::{Lines, Place};
use crate::source::plugin::{Plugin, SourceError};
use crate::source::search::{STRING_VALUE, none, search, several};
use crate::source::yaml::Yaml;

/// A file's text, and the plugin's configuration in it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The whole text.
    pub text: String,
    /// The configuration, as the filter gets it.
    pub json: String,
    /// What stands around the configuration, where it is not all of the file.
    pub plugin: Option<Plugin>,
    /// From the file inward.
    layers: Vec<Layer>,
    lines: Lines,
}

// === impl Source ===

impl Source {
    /// Finds the one configuration in a text.
    ///
    /// # Errors
    /// Where the text is no YAML, or has no configuration, or several.
    pub fn read(text: String) -> Result<Self, SourceError> {
        let lines = Lines::of(&text);
        let begin = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        if begin.is_empty() {
            return Err(SourceError::whole("the file is empty"));
        }
        let is_json = begin.starts_with('{');
        if is_json && !text.contains(STRING_VALUE) {
            return Ok(Self {
                json: text.clone(),
                text,
                plugin: None,
                layers: Vec::new(),
                lines,
            });
        }
        let documents = Yaml::parse_all(&text).map_err(|error| SourceError {
            place: Some(lines.place(&text, error.offset)),
            message: format!("not YAML: {}", error.message),
        })?;
        let mut found = Vec::new();
        for document in &documents {
            search(document, &text, &[], &mut found);
        }
        if found.len() > 1 {
            return Err(several(&found, &lines, &text));
        }
        let Some(one) = found.pop() else {
            return Err(none(&documents, &lines, &text));
        };
        Ok(Self {
            text,
            json: one.json,
            plugin: Some(one.plugin),
            layers: one.layers,
            lines,
        })
    }

    /// Where a byte of the configuration stands in the file.
    pub fn place(&self, json_offset: usize) -> Place {
        let outside = |inside, layer: &Layer| layer.outside(inside);
        let offset = self.layers.iter().rev().fold(json_offset, outside);
        self.lines.place(&self.text, offset)
    }

    /// Where a line and a column, in bytes, of the configuration stand in the file.
    pub fn place_of(&self, json_line: usize, json_column: usize) -> Place {
        let offset = Lines::of(&self.json).offset(json_line, json_column);
        self.place(offset.min(self.json.len()))
    }

    /// Where a byte of the file is.
    pub fn place_in_file(&self, offset: usize) -> Place {
        self.lines.place(&self.text, offset)
    }

    /// The file with edits of its configuration, and all else as it was.
    ///
    /// # Errors
    /// Where the configuration is written so that it can't be edited in place.
    pub fn edited(&self, edits: &[Edit]) -> Result<Self, SourceError> {
        let wanted = apply(&self.json, edits);
        let carried = self.layers.iter().rev().fold(edits.to_vec(), carry);
        let is_editable = self.layers.iter().all(Layer::is_editable);
        let edited = apply(&self.text, &carried).filter(|_| is_editable);
        let edited = edited.map(Self::read);
        match edited {
            Some(Ok(edited)) if Some(&edited.json) == wanted.as_ref() => Ok(edited),
            _ => Err(SourceError {
                place: self.plugin.as_ref().map(|it| self.place_in_file(it.offset)),
                message: "the configuration can't be edited in place as it is written here: \
                          write it as a block, `value: |`"
                    .to_owned(),
            }),
        }
    }
}

fn carry(edits: Vec<Edit>, layer: &Layer) -> Vec<Edit> {
    edits.iter().map(|edit| layer.carry(edit)).collect()
}
