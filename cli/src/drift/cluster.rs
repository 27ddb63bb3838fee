//! What Envoy knows of a cluster.

use crate::drift::aliases::Aliases;
use crate::drift::settings::{Group, Settings};
use crate::envoy::dump::{Dump, list};
use serde_json::Value;
use std::collections::BTreeSet;

/// A cluster, and its endpoints.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its settings.
    pub settings: Settings,
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
    /// Its names and addresses.
    pub aliases: Aliases,
    /// Whether its endpoints speak TLS.
    pub has_tls: bool,
}

/// An endpoint of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address and port; none where it is no socket.
    pub address: Option<(String, u64)>,
    /// Whether Envoy sends requests there.
    pub is_healthy: bool,
}

/// They name the cluster, or say what `/clusters` says as it is at this moment.
const LEFT_OUT: [&str; 7] = [
    "@type",
    "name",
    "alt_stat_name",
    "circuit_breakers",
    "hosts",
    "load_assignment.cluster_name",
    "eds_cluster_config.service_name",
];

// === impl Cluster ===

impl Cluster {
    /// From `/config_dump` and `/clusters`; none where Envoy knows no cluster of this name.
    pub fn of(name: &str, dump: &Dump, clusters: &Value) -> Option<Self> {
        let mut statuses = list(clusters, "cluster_statuses").iter();
        let status = statuses.find(|it| it.get("name").and_then(Value::as_str) == Some(name))?;
        let hosts = list(status, "host_statuses");
        let endpoints: Vec<Endpoint> = hosts.iter().map(Endpoint::of).collect();
        let mut settings = Settings::default();
        let config = dump.cluster(name);
        if let Some(config) = config {
            settings.add_all("", &compared(config), &Group::of);
            settings.set_default(Group::Timeouts, "connect_timeout", "5s");
            settings.set_default(Group::Endpoints, "lb_policy", "ROUND_ROBIN");
        }
        add_limits(&mut settings, config, status);
        add_endpoints(&mut settings, hosts, &endpoints);
        let mut aliases = Aliases::default();
        aliases.add(name, "{cluster}");
        for (host, port) in endpoints.iter().filter_map(|it| it.address.as_ref()) {
            aliases.add(format!("{host}:{port}"), "{address}");
            aliases.add(host.clone(), "{host}");
            aliases.add(port.to_string(), "{port}");
        }
        let socket = config.and_then(|it| it.pointer("/transport_socket/typed_config/@type"));
        let socket = socket.and_then(Value::as_str).unwrap_or_default();
        Some(Self {
            name: name.to_owned(),
            settings,
            endpoints,
            aliases,
            has_tls: socket.contains(".tls.") || socket.contains(".quic."),
        })
    }
}

/// A cluster's configuration without what must differ.
fn compared(config: &Value) -> Value {
    let mut config = config.clone();
    for path in LEFT_OUT {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        let parent = if parent.is_empty() {
            Some(&mut config)
        } else {
            config.get_mut(parent)
        };
        if let Some(fields) = parent.and_then(Value::as_object_mut) {
            fields.remove(name);
        }
    }
    if let Some(assignment) = config
        .get_mut("load_assignment")
        .and_then(Value::as_object_mut)
    {
        assignment.remove("endpoints");
        if assignment.is_empty()
            && let Some(fields) = config.as_object_mut()
        {
            fields.remove("load_assignment");
        }
    }
    config
}

/// The limits in force, and what else stands beside them.
fn add_limits(settings: &mut Settings, config: Option<&Value>, status: &Value) {
    let thresholds =
        |of: Option<&Value>| of.map_or_else(Vec::new, |of| list(of, "thresholds").to_vec());
    let configured = thresholds(config.and_then(|it| it.get("circuit_breakers")));
    let in_force = thresholds(status.get("circuit_breakers"));
    for threshold in configured.iter().chain(&in_force) {
        let priority = threshold.get("priority").and_then(Value::as_str);
        let path = format!("circuit_breakers.{}", priority.unwrap_or("DEFAULT"));
        let mut threshold = threshold.clone();
        if let Some(fields) = threshold.as_object_mut() {
            fields.remove("priority");
        }
        settings.add_all(&path, &threshold, &|_| Group::Limits);
    }
}

fn add_endpoints(settings: &mut Settings, hosts: &[Value], endpoints: &[Endpoint]) {
    let healthy = endpoints.iter().filter(|it| it.is_healthy).count();
    settings.set(Group::Endpoints, "count", endpoints.len());
    settings.set(Group::Endpoints, "healthy", healthy);
    let mut distinct = |name: &str, field: &str, of: &dyn Fn(&Value) -> String| {
        let values: BTreeSet<String> = hosts
            .iter()
            .filter_map(|it| it.get(field))
            .map(of)
            .collect();
        let values: Vec<String> = values.into_iter().filter(|it| !it.is_empty()).collect();
        if !values.is_empty() {
            settings.set(Group::Endpoints, name, values.join(", "));
        }
    };
    distinct("weights", "weight", &Value::to_string);
    distinct("priorities", "priority", &Value::to_string);
    distinct("localities", "locality", &|it| {
        let parts = ["region", "zone", "sub_zone"].into_iter();
        let parts: Vec<&str> = parts.filter_map(|part| it.get(part)?.as_str()).collect();
        parts.join("/")
    });
}

// === impl Endpoint ===

impl Endpoint {
    fn of(host: &Value) -> Self {
        let socket = host.pointer("/address/socket_address");
        let address = socket.and_then(|it| {
            let address = it.get("address")?.as_str()?.to_owned();
            Some((address, it.get("port_value")?.as_u64()?))
        });
        let status = host.get("health_status").and_then(Value::as_object);
        let is_healthy = status.is_none_or(|status| {
            status.iter().all(|(name, value)| match name.as_str() {
                "eds_health_status" => {
                    matches!(value.as_str(), Some("HEALTHY" | "UNKNOWN" | "DEGRADED"))
                }
                "failed_active_degraded_check" | "pending_dynamic_removal" => true,
                _ => value != &Value::Bool(true),
            })
        });
        Self {
            address,
            is_healthy,
        }
    }

    /// Where it is asked by HTTP.
    pub fn url(&self, path: &str) -> Option<String> {
        let (host, port) = self.address.as_ref()?;
        Some(match host.contains(':') {
            true => format!("http://[{host}]:{port}{path}"),
            false => format!("http://{host}:{port}{path}"),
        })
    }
}
