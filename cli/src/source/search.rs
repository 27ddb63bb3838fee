//! Finds plugins' configurations in YAML.

use crate::source::layer::Layer;
use crate::source::place::Lines;
use crate::source::plugin::{Plugin, SourceError};
use crate::source::yaml::{Kind, Scalar, Yaml};

/// A configuration that was found.
#[derive(Debug)]
pub struct Found {
    /// From the file inward.
    pub layers: Vec<Layer>,
    /// Its text.
    pub json: String,
    /// What stands around it.
    pub plugin: Plugin,
}

/// The type of a configuration that Envoy hands over as its text.
pub const STRING_VALUE: &str = "google.protobuf.StringValue";

/// Looks for configurations in a document, and in the texts that a ConfigMap holds.
pub fn search(document: &Yaml, text: &str, around: &[Layer], found: &mut Vec<Found>) {
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

/// Says that there are several.
pub fn several(found: &[Found], lines: &Lines, text: &str) -> SourceError {
    let at = |it: &Found| lines.place(text, it.plugin.offset).line.to_string();
    let places: Vec<String> = found.iter().map(at).collect();
    SourceError::whole(format!(
        "{} plugin configurations, at lines {}, must be one",
        found.len(),
        places.join(" and ")
    ))
}

/// Says as well as can be told why there is no configuration.
pub fn none(documents: &[Yaml], lines: &Lines, text: &str) -> SourceError {
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
