//! The shipped `envoy/` files, rewritten for one test: other ports, other plugin configuration.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xxhash_rust::xxh64::xxh64;

/// The plugin configuration a test wants in `bluegreen.yaml`.
#[derive(Clone, Debug)]
pub enum PluginConfig {
    /// Written as an operator writes it: pretty JSON in a block scalar.
    Json(Value),
    /// Reaches the plugin byte for byte, whatever it is.
    Raw(String),
}

// === impl PluginConfig ===

impl PluginConfig {
    pub fn json(config: impl Into<Value>) -> Self {
        Self::Json(in_tested_profile(config.into()))
    }

    /// Whether a rollout has copies of its requests made.
    pub fn has_shadow(&self) -> bool {
        matches!(self, Self::Json(config) if config.to_string().contains("\"shadow\""))
    }

    /// Whether it names a profile.
    pub fn has_profile(&self) -> bool {
        matches!(self, Self::Json(config) if config.get("profile").is_some())
    }
}

/// This configuration, in the profile that `TEST_PROFILE` names unless it names one itself: so all tests
/// can be run in each.
fn in_tested_profile(mut config: Value) -> Value {
    if let (Some(fields), Ok(profile)) = (config.as_object_mut(), std::env::var("TEST_PROFILE")) {
        fields.entry("profile").or_insert_with(|| profile.into());
    }
    config
}

/// The repository's root. Asked of cargo at run time, since checkouts may share what they build.
pub fn root() -> PathBuf {
    let package = std::env::var("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let mut places = Path::new(&package).ancestors();
    let root = places.find(|place| place.join("envoy/bootstrap.yaml").is_file());
    root.expect("a package of the repository").to_owned()
}

/// The path of a file that `make test` puts there; fails where it is missing.
pub fn built(path: PathBuf) -> PathBuf {
    assert!(
        path.is_file(),
        "{} is missing: run `make test`, or set ENVOY",
        path.display()
    );
    path
}

/// Replaces every `find`, and fails where there is none: the shipped file has changed.
pub fn edit(file: &str, text: &str, find: &str, replace: &str) -> String {
    assert!(text.contains(find), "{file} has no `{find}` to replace");
    text.replace(find, replace)
}

/// `bootstrap.yaml` with an access log in the place that is meant for it.
pub fn with_access_log(shipped: &str, access_log: &str) -> String {
    let place = shipped.lines().find(|line| line.contains(SIGNAL_PLACE));
    let place = place.unwrap_or_else(|| panic!("bootstrap.yaml has no `{SIGNAL_PLACE}`"));
    shipped.replace(place, &format!("{place}\n{}", access_log.trim_end()))
}

/// The line of `bootstrap.yaml` behind which `signal.yaml` goes.
const SIGNAL_PLACE: &str = "signal.yaml goes here";

/// `bootstrap.yaml` with Envoy's own ports chosen by the kernel, so that tests can run in parallel. The port of the
/// listener for copies is given, since a cluster has to name it.
pub fn bootstrap(shipped: &str, blue: SocketAddr, green: SocketAddr, shadow: u16) -> String {
    let ports = [
        (10000, 0),
        (9901, 0),
        (10001, blue.port()),
        (10002, green.port()),
        (10003, shadow),
    ];
    ports.iter().fold(shipped.to_owned(), |text, (from, to)| {
        let (find, replace) = (format!("port_value: {from} "), format!("port_value: {to} "));
        edit("bootstrap.yaml", &text, &find, &replace)
    })
}

/// A cluster, as the shipped bootstrap ends with them.
pub fn cluster(name: &str, upstream: SocketAddr) -> String {
    let (ip, port) = (upstream.ip(), upstream.port());
    let address =
        format!("{{ address: {{ socket_address: {{ address: {ip}, port_value: {port} }} }} }}");
    format!(
        "  - name: {name}\n    \
             connect_timeout: 1s\n    \
             typed_extension_protocol_options: *same_protocol_as_client\n    \
             load_assignment:\n      \
               cluster_name: {name}\n      \
               endpoints:\n      \
               - lb_endpoints:\n        \
                 - endpoint: {address}\n"
    )
}

/// The shipped cluster `etcd` of these members.
pub fn etcd(shipped: &str, members: &[SocketAddr]) -> String {
    let is_member = |line: &&str| line.contains("port_value: 2379 ");
    let line = shipped.lines().find(is_member);
    let line = line.expect("the shipped cluster has no member at port 2379");
    let of = |member: &SocketAddr| line.replace("2379", &member.port().to_string());
    let lines: Vec<String> = members.iter().map(of).collect();
    edit("etcd.yaml", shipped, line, &lines.join("\n"))
}

/// Where Envoy writes how streams have ended.
pub const STREAMS: &str = "streams.txt";

/// An access log of just that, for the bootstrap.
pub const STREAM_LOG: &str = "          \
    - name: envoy.access_loggers.file\n            \
      typed_config:\n              \
        \"@type\": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog\n              \
        path: ./streams.txt\n              \
        log_format:\n                \
          text_format_source:\n                  \
            inline_string: \"%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\\n\"\n";

/// Adds a line to the allowed capabilities, unless it is there.
pub fn allow(ecds: &str, capability: &str) -> String {
    if ecds.lines().any(|line| is_allowed(line, capability)) {
        return ecds.to_owned();
    }
    let anchor = "allowed_capabilities:\n";
    edit(
        "bluegreen.yaml",
        ecds,
        anchor,
        &format!("{anchor}          {capability}: {{}}\n"),
    )
}

/// Takes a line out of the allowed capabilities, and fails where it is not there.
pub fn withhold(ecds: &str, capability: &str) -> String {
    let lines = ecds.split_inclusive('\n');
    let kept: String = lines.filter(|line| !is_allowed(line, capability)).collect();
    assert_ne!(kept, ecds, "bluegreen.yaml has no `{capability}: {{}}`");
    kept
}

/// Whether a line allows a capability. A comment may follow.
fn is_allowed(line: &str, capability: &str) -> bool {
    let content = line.split('#').next().unwrap_or_default().trim();
    content.strip_suffix(": {}") == Some(capability)
}

/// `bluegreen.yaml` as Istio makes Envoy run the filter: no `vm_id`, no `allow_on_headers_stop_iteration`, failing open,
/// and by Istio's name for the plugin. The list of capabilities is another matter: see [`unrestricted`].
pub fn bare(ecds: &str) -> String {
    let edits = [
        (
            "      name: bluegreen\n      root_id",
            "      name: istio-ingress.bluegreen\n      root_id",
        ),
        ("failure_policy: FAIL_RELOAD", "failure_policy: FAIL_OPEN"),
        ("        vm_id: bluegreen\n", ""),
        ("      allow_on_headers_stop_iteration: true\n", ""),
    ];
    edits.iter().fold(ecds.to_owned(), |text, (find, replace)| {
        edit("bluegreen.yaml", &text, find, replace)
    })
}

/// `bluegreen.yaml` without its list of capabilities: all are allowed.
pub fn unrestricted(ecds: &str) -> String {
    let begin = ecds.find("      capability_restriction_config:\n");
    let begin = begin.expect("bluegreen.yaml has no list of capabilities");
    let length = ecds[begin..].find("      configuration:\n");
    let length = length.expect("bluegreen.yaml has no `configuration` after the capabilities");
    format!("{}{}", &ecds[..begin], &ecds[begin + length..])
}

/// `bootstrap.yaml` without its tags for stats.
pub fn untagged(bootstrap: &str) -> String {
    let lines = bootstrap.split_inclusive('\n');
    let is_tag = |line: &&str| line.contains("tag_name:") || line.trim() == "stats_tags:";
    let kept: String = lines.filter(|line| !is_tag(line)).collect();
    assert_ne!(kept, bootstrap, "bootstrap.yaml has no stats_tags");
    kept
}

/// `bluegreen.yaml` around its plugin configuration.
#[derive(Clone, Debug)]
pub struct Ecds {
    before: String,
    shipped: String,
    after: String,
    indent: String,
}

impl Ecds {
    pub fn parse(text: &str) -> Self {
        let key = "value: |\n";
        let (before, rest) = text
            .split_once(key)
            .expect("bluegreen.yaml has no `value: |`");
        assert!(
            !rest.contains(key),
            "bluegreen.yaml has more than one `value: |`"
        );
        let parent = before.len() - before.trim_end_matches(' ').len();
        let indent = " ".repeat(parent + 2);
        let inside = |line: &&str| line.trim().is_empty() || line.starts_with(&indent);
        let block: Vec<&str> = rest.split_inclusive('\n').take_while(inside).collect();
        let length = block.iter().map(|line| line.len()).sum();
        let shipped: String = block
            .iter()
            .map(|line| line.strip_prefix(&indent).unwrap_or("\n"))
            .collect();
        assert!(
            !shipped.is_empty(),
            "bluegreen.yaml has an empty `value: |`"
        );
        Self {
            before: before.to_owned(),
            shipped,
            after: rest[length..].to_owned(),
            indent,
        }
    }

    /// The file's text with this configuration, and the bytes the plugin will get.
    pub fn with(&self, config: Option<&PluginConfig>) -> (String, Vec<u8>) {
        let Self {
            before,
            shipped,
            after,
            indent,
        } = self;
        let text = match config {
            None => shipped.trim_end().to_owned() + "\n",
            Some(PluginConfig::Json(value)) => text(value),
            Some(PluginConfig::Raw(raw)) => {
                // Every JSON string is a YAML scalar.
                let scalar = Value::from(raw.as_str());
                return (
                    format!("{before}value: {scalar}\n{after}"),
                    raw.clone().into_bytes(),
                );
            }
        };
        let block: String = text
            .lines()
            .map(|line| format!("{indent}{line}\n"))
            .collect();
        (
            format!("{before}value: |\n{block}{after}"),
            text.into_bytes(),
        )
    }
}

/// What the filter shows as `bluegreen_config_fingerprint` of a configuration that a test gave it.
pub fn fingerprint(config: impl Into<Value>) -> u64 {
    fingerprint_of_text(text(&in_tested_profile(config.into())).as_bytes())
}

pub(crate) fn fingerprint_of_text(config: &[u8]) -> u64 {
    xxh64(config, 0) & 0xffff_ffff
}

fn text(config: &Value) -> String {
    format!("{config:#}\n")
}
