//! Finds the plugin's configuration in a file: ECDS, a bootstrap, a ConfigMap of either, or plain JSON.

use crate::source::layer::{Edit, Layer, apply};
use crate::source::place::{Lines, Place};
use crate::source::yaml::{Kind, Scalar, Yaml};
use std::fmt;

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

/// What a file says of the plugin beside its configuration.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// Where its configuration begins in the file.
    pub offset: usize,
    /// What the filter may call and be called for; none where all is allowed.
    pub capabilities: Option<Vec<String>>,
    /// Whether the filter may hold a request's headers back while it reads the body.
    pub holds_headers: bool,
}

/// Why a file has no configuration to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    /// Where, if it is at one place.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
}

/// A configuration that was found.
struct Found {
    layers: Vec<Layer>,
    json: String,
    plugin: Plugin,
}

const STRING_VALUE: &str = "google.protobuf.StringValue";

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
        let edited = is_editable.then(|| Self::read(apply(&self.text, &carried)));
        match edited {
            Some(Ok(edited)) if edited.json == wanted => Ok(edited),
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

/// Looks for configurations in a document, and in the texts that a ConfigMap holds.
fn search(document: &Yaml, text: &str, around: &[Layer], found: &mut Vec<Found>) {
    for node in document.all() {
        if let Some((value, scalar)) = string_value(node) {
            found.push(Found::new(value, scalar, node, text, around));
        }
    }
    let is_config_map = document.get("kind").and_then(Yaml::text) == Some("ConfigMap");
    let data = document.get("data").filter(|_| is_config_map);
    let Some(Kind::Mapping(data)) = data.map(|data| &data.kind) else {
        return;
    };
    for (_, value) in data {
        let Kind::Scalar(scalar) = &value.kind else {
            continue;
        };
        let mut layers = around.to_vec();
        layers.push(Layer::of(text, value.start, scalar));
        if scalar.text.contains(STRING_VALUE) {
            for document in Yaml::parse_all(&scalar.text).unwrap_or_default() {
                search(&document, &scalar.text, &layers, found);
            }
        } else if scalar.text.trim_start().starts_with('{') && scalar.text.contains("\"rollouts\"")
        {
            found.push(Found::new(value, scalar, document, text, around));
        }
    }
}

/// The value of a plugin's `configuration`, where that is a `StringValue`.
fn string_value(plugin: &Yaml) -> Option<(&Yaml, &Scalar)> {
    let configuration = plugin.get("configuration")?;
    let kind = configuration.get("@type")?.text()?;
    let value = configuration
        .get("value")
        .filter(|_| kind.ends_with(STRING_VALUE))?;
    match &value.kind {
        Kind::Scalar(scalar) => Some((value, scalar)),
        _ => None,
    }
}

fn several(found: &[Found], lines: &Lines, text: &str) -> SourceError {
    let at = |it: &Found| lines.place(text, it.plugin.offset).line.to_string();
    let places: Vec<String> = found.iter().map(at).collect();
    SourceError::whole(format!(
        "{} plugin configurations, at lines {}, must be one",
        found.len(),
        places.join(" and ")
    ))
}

/// Says as well as can be told why there is no configuration.
fn none(documents: &[Yaml], lines: &Lines, text: &str) -> SourceError {
    for node in documents.iter().flat_map(Yaml::all) {
        let at = |message: &str| SourceError {
            place: Some(lines.place(text, node.start)),
            message: message.to_owned(),
        };
        if node.get("pluginConfig").is_some() {
            return at(
                "this is a WasmPlugin, whose pluginConfig is YAML: give its JSON in a file of its own",
            );
        }
        let Some(configuration) = node.get("configuration") else {
            continue;
        };
        let kind = configuration
            .get("@type")
            .and_then(Yaml::text)
            .unwrap_or_default();
        if kind.ends_with("google.protobuf.Struct") {
            return at(
                "the configuration is a google.protobuf.Struct, which Envoy hands over as protobuf, \
                 must be a google.protobuf.StringValue",
            );
        }
        if kind.ends_with(STRING_VALUE) {
            return at("the configuration has no text, must be JSON as a block: `value: |`");
        }
    }
    SourceError::whole(
        "no plugin configuration, must be an ECDS file with a `configuration` of the type \
         google.protobuf.StringValue, or the JSON alone",
    )
}

// === impl Found ===

impl Found {
    fn new(value: &Yaml, scalar: &Scalar, plugin: &Yaml, text: &str, around: &[Layer]) -> Self {
        let layer = Layer::of(text, value.start, scalar);
        let outside = |inside, layer: &Layer| layer.outside(inside);
        let offset = around.iter().rev().fold(value.start, outside);
        let mut layers = around.to_vec();
        layers.push(layer);
        Self {
            layers,
            json: scalar.text.clone(),
            plugin: Plugin::new(plugin, offset),
        }
    }
}

// === impl Plugin ===

impl Plugin {
    fn new(node: &Yaml, offset: usize) -> Self {
        let restriction = node.get("capability_restriction_config");
        let allowed = restriction.and_then(|it| it.get("allowed_capabilities"));
        let capabilities = match allowed.map(|it| &it.kind) {
            Some(Kind::Mapping(entries)) if !entries.is_empty() => {
                let names = entries.iter().filter_map(|(name, _)| name.text());
                Some(names.map(str::to_owned).collect())
            }
            _ => None,
        };
        let holds = node
            .get("allow_on_headers_stop_iteration")
            .and_then(Yaml::text);
        Self {
            offset,
            capabilities,
            holds_headers: holds == Some("true"),
        }
    }
}

// === impl SourceError ===

impl SourceError {
    fn whole(message: impl Into<String>) -> Self {
        Self {
            place: None,
            message: message.into(),
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SourceError {}
