//! Which fields differ between two values.

use crate::show::Shown;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where it is.
    pub path: String,
    /// What it was; nothing where it was absent.
    pub old: Option<Value>,
    /// What it is; nothing where it is absent.
    pub new: Option<Value>,
}

/// The fields of an object, each as it stands there.
pub type Fields<'j> = BTreeMap<String, &'j RawValue>;

/// All fields of two objects that differ, by their paths. Numbers that are written in two ways are the same.
pub fn changes(old: &Fields<'_>, new: &Fields<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        // Most are the same to the letter, and need not be read.
        let (old, new) = (old.get(name), new.get(name));
        if old.map(|it| it.get()) != new.map(|it| it.get()) {
            let [old, new] =
                [old, new].map(|it| it.and_then(|it| serde_json::from_str(it.get()).ok()));
            compare(name.clone(), old.as_ref(), new.as_ref(), &mut changes);
        }
    }
    changes
}

/// The fields of an object of a valid configuration, each as it stands there.
pub fn fields(object: &str) -> Fields<'_> {
    serde_json::from_str(object).unwrap_or_default()
}

fn compare(path: String, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    match (old, new) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let dot = if path.is_empty() { "" } else { "." };
                compare(
                    format!("{path}{dot}{name}"),
                    a.get(name),
                    b.get(name),
                    changes,
                );
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                compare(
                    format!("{path}[{index}]"),
                    a.get(index),
                    b.get(index),
                    changes,
                );
            }
        }
        (Some(Value::Number(a)), Some(Value::Number(b))) if a.as_f64() == b.as_f64() => {}
        _ if old == new => {}
        _ => changes.push(Change {
            path,
            old: old.cloned(),
            new: new.cloned(),
        }),
    }
}

// === impl Change ===

impl Change {
    /// What stands in `require` may be a secret, by mistake or not.
    fn is_secret(&self) -> bool {
        self.path.split(['.', '[']).any(|name| name == "require")
            || [&self.old, &self.new]
                .into_iter()
                .flatten()
                .any(holds_require)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        if self.is_secret() {
            return json!({ "path": self.path, "hidden": true });
        }
        json!({ "path": self.path, "old": self.old, "new": self.new })
    }
}

fn holds_require(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields
            .iter()
            .any(|(name, it)| name == "require" || holds_require(it)),
        Value::Array(items) => items.iter().any(holds_require),
        _ => false,
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = Shown::path(&self.path);
        let shown = |value: &Option<Value>| match value {
            None => "absent".to_owned(),
            Some(_) if self.is_secret() => "a value that is not shown".to_owned(),
            Some(value) => Shown::json(value).to_string(),
        };
        write!(f, "{path}: {} -> {}", shown(&self.old), shown(&self.new))
    }
}
