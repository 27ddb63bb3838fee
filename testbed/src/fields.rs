//! Variations of a JSON configuration.

use serde_json::Value;

/// Puts fields beside those of an object, or instead of them.
pub fn merge(object: &mut Value, fields: Value) {
    let Value::Object(fields) = fields else {
        panic!("no fields: {fields}")
    };
    let object = object.as_object_mut().expect("an object");
    object.extend(fields);
}

/// The object with these fields as well, or instead.
pub fn with(mut object: Value, fields: Value) -> Value {
    merge(&mut object, fields);
    object
}
