//! Settings of an environment, each with the place where it stands.

use serde_json::Value;
use std::collections::BTreeMap;

/// The settings of one environment, by place.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    values: BTreeMap<Place, Value>,
}

/// Where a setting stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// What it is about.
    pub group: Group,
    /// Its path within Envoy's configuration, or within the service's JSON.
    pub path: String,
}

/// What a setting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is what its name says")]
pub enum Group {
    Endpoints,
    Health,
    Tls,
    Timeouts,
    Limits,
    Protocol,
    Other,
    Env,
}

// === impl Settings ===

impl Settings {
    /// Adds one.
    pub fn set(&mut self, group: Group, path: impl Into<String>, value: impl Into<Value>) {
        let path = path.into();
        self.values.insert(Place { group, path }, value.into());
    }

    /// Adds one that stands nowhere because it has its default.
    pub fn set_default(&mut self, group: Group, path: &str, value: impl Into<Value>) {
        let path = path.to_owned();
        self.values
            .entry(Place { group, path })
            .or_insert(value.into());
    }

    /// Adds all that stands in a document. `group` tells by its path what a setting is about.
    pub fn add_all(&mut self, path: &str, value: &Value, group: &impl Fn(&str) -> Group) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, field) in fields {
                    let name = short(name);
                    let path = if path.is_empty() {
                        name.to_owned()
                    } else {
                        format!("{path}.{name}")
                    };
                    self.add_all(&path, field, group);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    self.add_all(&format!("{path}[{index}]"), item, group);
                }
            }
            // A document in which nothing stands.
            _ if path.is_empty() => {}
            leaf => self.set(group(path), path, leaf.clone()),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&Place, &Value)> {
        self.values.iter()
    }

    /// One of them.
    pub fn get(&self, place: &Place) -> Option<&Value> {
        self.values.get(place)
    }

    /// Takes one out.
    pub fn remove(&mut self, place: &Place) {
        self.values.remove(place);
    }

    /// Adds those of others.
    pub fn extend(&mut self, others: Self) {
        self.values.extend(others.values);
    }
}

/// The name of an extension without its package.
fn short(name: &str) -> &str {
    let is_extension = name.starts_with("envoy.");
    name.rsplit('.')
        .next()
        .filter(|_| is_extension)
        .unwrap_or(name)
}

// === impl Group ===

impl Group {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Endpoints => "endpoints",
            Self::Health => "health",
            Self::Tls => "tls",
            Self::Timeouts => "timeouts",
            Self::Limits => "limits",
            Self::Protocol => "protocol",
            Self::Other => "other",
            Self::Env => "env",
        }
    }

    /// Of a field of Envoy's clusters, by its path.
    pub fn of(path: &str) -> Self {
        let begins = |names: &[&str]| names.iter().any(|name| path.starts_with(name));
        if begins(&["transport_socket"]) {
            Self::Tls
        } else if begins(&["health_checks", "outlier_detection", "ignore_health"])
            || path.contains("panic")
        {
            Self::Health
        } else if path.contains("timeout")
            || path.contains("keepalive")
            || path.contains("max_connection_duration")
        {
            Self::Timeouts
        } else if begins(&["circuit_breakers", "per_connection_buffer_limit"])
            || path.contains("max_")
        {
            Self::Limits
        } else if begins(&[
            "typed_extension_protocol_options",
            "http",
            "common_http",
            "upstream_http",
            "protocol_selection",
        ]) {
            Self::Protocol
        } else if begins(&[
            "type",
            "cluster_type",
            "lb_",
            "common_lb_config",
            "load_",
            "eds_",
            "dns_",
            "respect_dns",
        ]) {
            Self::Endpoints
        } else {
            Self::Other
        }
    }
}
