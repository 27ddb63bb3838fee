//! The JSON Schema that ships with the filter.

use bluegreen::config_schema;
use serde_json::Value;
use std::fs;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/envoy/bluegreen.schema.json");

#[test]
fn schema_file_is_current() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(PATH, config_schema()).unwrap();
    }
    assert!(
        fs::read_to_string(PATH).unwrap() == config_schema(),
        "{PATH} is out of date; write it anew with: UPDATE_SCHEMA=1 cargo test --test core schema"
    );
}

/// All objects of the schema that have properties, with their place.
fn objects<'a>(place: &str, schema: &'a Value, found: &mut Vec<(String, &'a Value)>) {
    if schema["properties"].is_object() {
        found.push((place.to_owned(), schema));
    }
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                objects(&format!("{place}/{name}"), value, found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                objects(&format!("{place}/{index}"), value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_object_is_closed_and_every_field_is_described() {
    let schema: Value = serde_json::from_str(&config_schema()).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    let mut found = Vec::new();
    objects("", &schema, &mut found);
    assert!(found.len() >= 15, "{} objects", found.len());
    for (place, object) in found {
        assert_eq!(object["additionalProperties"], false, "{place}");
        let is_variant = object["description"].is_string();
        for (name, field) in object["properties"].as_object().unwrap() {
            let is_described = is_variant || field["description"].is_string();
            assert!(is_described, "{place}: {name}");
        }
    }
}
