//! What `/config_dump` says of the filter and of the HTTP connection managers that have it.

use serde_json::Value;

/// Envoy's configuration, as it shows it.
#[derive(Clone, Debug)]
pub struct Dump {
    root: Value,
}

/// An HTTP connection manager with the filter.
#[derive(Clone, Copy, Debug)]
pub struct Manager<'d> {
    /// Its configuration.
    pub config: &'d Value,
    /// Its routes, where they are known.
    pub routes: Option<&'d Value>,
    /// The filter's plugin configuration, where it is known.
    pub plugin: Option<&'d Value>,
}

const NOTHING: Value = Value::Null;

// === impl Dump ===

impl Dump {
    /// Reads the page.
    pub const fn new(root: Value) -> Self {
        Self { root }
    }

    /// All plugin configurations that are the filter's, as far as they can be told from others': JSON with rollouts.
    pub fn plugins(&self) -> Vec<&Value> {
        let mut found = Vec::new();
        walk(&self.root, &mut |value| {
            if plugin_json(value).is_some() {
                found.push(value);
            }
        });
        found
    }

    /// The configuration with this fingerprint, where Envoy shows it.
    pub fn json_of(&self, fingerprint: u32) -> Option<String> {
        let texts = self.plugins().into_iter().filter_map(plugin_json);
        let mut matching = texts.filter(|json| {
            bluegreen::Policy::parse(json.as_bytes())
                .is_ok_and(|policy| policy.fingerprint == fingerprint)
        });
        matching.next().map(str::to_owned)
    }

    /// The HTTP connection managers that have the filter and serve clients.
    pub fn managers<'d>(&'d self) -> Vec<Manager<'d>> {
        let mut managers = Vec::new();
        // Static listeners are among the listeners too.
        let sections = list(&self.root, "configs").iter();
        let sections = sections.filter(|it| !is_type(it, "BootstrapConfigDump"));
        let mut look = |value: &'d Value| {
            if !is_type(value, "HttpConnectionManager") {
                return;
            }
            let mut filters = list(value, "http_filters").iter();
            if let Some(plugin) = filters.find_map(|filter| self.plugin_of(filter)) {
                managers.push(Manager {
                    config: value,
                    routes: self.routes_of(value),
                    plugin: Some(plugin),
                });
            }
        };
        sections.for_each(|section| walk(section, &mut look));
        let of_copies = self.managers_of_copies();
        managers.retain(|it| {
            !of_copies
                .iter()
                .any(|other| std::ptr::eq(*other, it.config))
        });
        managers
    }

    /// The HTTP connection managers of listeners to which nothing but copies comes, from Envoy itself.
    fn managers_of_copies(&self) -> Vec<&Value> {
        let mut found = Vec::new();
        walk(&self.root, &mut |listener| {
            let metadata = "/metadata/filter_metadata/bluegreen/shadow";
            if listener.pointer(metadata) == Some(&Value::Bool(true)) {
                walk(listener, &mut |value| {
                    if is_type(value, "HttpConnectionManager") {
                        found.push(value);
                    }
                });
            }
        });
        found
    }

    /// The configuration of the cluster of this name, where it is shown.
    pub fn cluster(&self, name: &str) -> Option<&Value> {
        let sections = list(&self.root, "configs").iter();
        let sections = sections.filter(|it| is_type(it, "ClustersConfigDump"));
        let lists = ["static_clusters", "dynamic_active_clusters"];
        let items = sections.flat_map(|section| lists.into_iter().flat_map(|it| list(section, it)));
        let mut clusters = items.filter_map(|item| item.get("cluster"));
        clusters.find(|it| it.get("name").and_then(Value::as_str) == Some(name))
    }

    /// The names of the stats tags that the bootstrap has.
    pub fn stats_tags(&self) -> Vec<&str> {
        let mut tags = Vec::new();
        walk(&self.root, &mut |value| {
            let names = list(value, "stats_tags").iter();
            tags.extend(names.filter_map(|tag| tag.get("tag_name")?.as_str()));
        });
        tags
    }

    /// The plugin configuration of an HTTP filter, where it is ours: by discovery, or in its place.
    fn plugin_of(&self, filter: &Value) -> Option<&Value> {
        if let Some(config) = filter.pointer("/typed_config/config") {
            return self.plugins().into_iter().find(|it| *it == config);
        }
        filter.get("config_discovery")?;
        let name = filter.get("name")?;
        let mut found = None;
        walk(&self.root, &mut |value| {
            let is_it = is_type(value, "TypedExtensionConfig") && value.get("name") == Some(name);
            if is_it && let Some(config) = value.pointer("/typed_config/config") {
                found = plugin_json(config).map(|_| config).or(found);
            }
        });
        found
    }

    fn routes_of(&self, manager: &Value) -> Option<&Value> {
        let name = manager.pointer("/rds/route_config_name");
        let mut found = None;
        walk(&self.root, &mut |value| {
            let is_it = is_type(value, "RouteConfiguration") && value.get("name") == name;
            if name.is_some() && is_it {
                found = Some(value);
            }
        });
        found
    }
}

// === impl Manager ===

impl<'d> Manager<'d> {
    /// Its name in stats.
    pub fn name(&self) -> &'d str {
        let name = self.config.get("stat_prefix").and_then(Value::as_str);
        name.unwrap_or_default()
    }

    fn route_config(&self) -> &'d Value {
        self.routes
            .or(self.config.get("route_config"))
            .unwrap_or(&NOTHING)
    }

    /// Whether its routes are known.
    pub fn knows_routes(&self) -> bool {
        !self.route_config().is_null()
    }

    /// All its routes, each with its virtual host.
    pub fn routes(&self) -> Vec<(&'d Value, &'d Value)> {
        let hosts = list(self.route_config(), "virtual_hosts").iter();
        let routes = |host| list(host, "routes").iter().map(move |route| (host, route));
        hosts.flat_map(routes).collect()
    }

    /// Whether a request header is taken from what the upstream gets.
    pub fn hides(&self, header: &str, host: &Value, route: &Value) -> bool {
        [self.route_config(), host, route].into_iter().any(|it| {
            let mut removed = list(it, "request_headers_to_remove").iter();
            removed.any(|name| is_header(name, header))
        })
    }

    /// Whether a request header is removed before any filter runs.
    pub fn strips(&self, header: &str) -> bool {
        let extensions = list(self.config, "early_header_mutation_extensions").iter();
        let mut mutations = extensions.flat_map(|it| {
            let config = it.get("typed_config").unwrap_or(&NOTHING);
            list(config, "mutations")
        });
        mutations.any(|it| it.get("remove").is_some_and(|name| is_header(name, header)))
    }
}

/// The filter's JSON, where this is the `config` of a Wasm filter that has such.
pub fn plugin_json(config: &Value) -> Option<&str> {
    let configuration = config.get("configuration")?;
    let json = configuration.get("value")?.as_str()?;
    (is_type(configuration, "StringValue") && json.contains("\"rollouts\"")).then_some(json)
}

/// The items of an array that may be absent.
pub fn list<'d>(value: &'d Value, name: &str) -> &'d [Value] {
    let items = value.get(name).and_then(Value::as_array);
    items.map(Vec::as_slice).unwrap_or_default()
}

fn is_type(value: &Value, name: &str) -> bool {
    let kind = value.get("@type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.ends_with(&format!(".{name}")))
}

fn is_header(name: &Value, header: &str) -> bool {
    name.as_str()
        .is_some_and(|name| name.eq_ignore_ascii_case(header))
}

fn walk<'d>(value: &'d Value, visit: &mut impl FnMut(&'d Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(fields) => fields.values().for_each(|field| walk(field, visit)),
        _ => {}
    }
}
