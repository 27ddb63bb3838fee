//! How a test wants its Envoy.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::envoy::Envoy;
use crate::etcd::Certificates;
use crate::files::{self, Ecds, PluginConfig};
use crate::ports;
use crate::process::Process;
use crate::relabel::Relabel;
use crate::version::{Feature, envoy_path};

/// Starts an [`Envoy`] with the shipped files.
#[derive(Clone, Debug)]
#[must_use]
pub struct EnvoyBuilder {
    blue: SocketAddr,
    green: SocketAddr,
    config: Option<PluginConfig>,
    wait_for_config: bool,
    wasm: Option<PathBuf>,
    concurrency: usize,
    capabilities: Vec<String>,
    withheld: Vec<String>,
    bootstrap_edits: Vec<(String, String)>,
    plugin_edits: Vec<(String, String)>,
    is_bare: bool,
    without_signal: bool,
    log_streams: bool,
    clusters: String,
    extra_yaml: String,
    variables: Vec<(String, OsString)>,
}

// === impl Envoy ===

impl Envoy {
    pub fn builder(blue: SocketAddr, green: SocketAddr) -> EnvoyBuilder {
        EnvoyBuilder::new(blue, green)
    }
}

// === impl EnvoyBuilder ===

impl EnvoyBuilder {
    fn new(blue: SocketAddr, green: SocketAddr) -> Self {
        Self {
            blue,
            green,
            config: None,
            wait_for_config: true,
            wasm: None,
            concurrency: 2,
            capabilities: Vec::new(),
            withheld: Vec::new(),
            bootstrap_edits: Vec::new(),
            plugin_edits: Vec::new(),
            is_bare: is_bare(),
            without_signal: false,
            log_streams: false,
            clusters: String::new(),
            extra_yaml: String::new(),
            variables: Vec::new(),
        }
    }

    /// The plugin's configuration; without it, the shipped one.
    pub fn config(mut self, config: impl Into<Value>) -> Self {
        self.config = Some(PluginConfig::json(config));
        self
    }

    /// A plugin configuration that need not be JSON.
    pub fn raw_config(mut self, text: impl Into<String>) -> Self {
        self.config = Some(PluginConfig::Raw(text.into()));
        self
    }

    /// For a test that starts with a configuration or filter that doesn't load.
    pub fn without_waiting_for_config(mut self) -> Self {
        self.wait_for_config = false;
        self
    }

    /// Another filter than `dist/bluegreen.wasm`.
    pub fn wasm(mut self, path: impl Into<PathBuf>) -> Self {
        self.wasm = Some(path.into());
        self
    }

    /// Envoy's worker threads; 2 by default.
    pub fn concurrency(mut self, workers: usize) -> Self {
        self.concurrency = workers;
        self
    }

    /// Allows the filter a capability, such as `proxy_on_tick`, if `bluegreen.yaml` does not yet.
    pub fn allow(mut self, capability: &str) -> Self {
        self.capabilities.push(capability.to_owned());
        self
    }

    /// Withholds a capability that `bluegreen.yaml` allows.
    pub fn withhold(mut self, capability: &str) -> Self {
        self.withheld.push(capability.to_owned());
        self
    }

    /// Leaves `signal.yaml` out, which otherwise is there where the configuration names a profile, be it `full`, and
    /// Envoy can start with it.
    pub fn without_signal(mut self) -> Self {
        self.without_signal = true;
        self
    }

    /// Replaces text in `bootstrap.yaml` as shipped, and fails where there is none.
    pub fn edit_bootstrap(mut self, find: &str, replace: &str) -> Self {
        self.bootstrap_edits
            .push((find.to_owned(), replace.to_owned()));
        self
    }

    /// As [`EnvoyBuilder::edit_bootstrap`], in `bluegreen.yaml` around its configuration.
    pub fn edit_plugin(mut self, find: &str, replace: &str) -> Self {
        self.plugin_edits
            .push((find.to_owned(), replace.to_owned()));
        self
    }

    /// Without any of the extras of the shipped files, as Istio runs the filter: no `vm_id`, no list of capabilities
    /// (unless one is withheld), no `allow_on_headers_stop_iteration`, no tags for stats, failing open.
    pub fn bare(mut self) -> Self {
        self.is_bare = true;
        self
    }

    /// One more cluster, set up like the shipped two.
    pub fn cluster(mut self, name: &str, upstream: SocketAddr) -> Self {
        self.clusters.push_str(&files::cluster(name, upstream));
        self
    }

    /// Writes a line for each stream that has ended: see [`Envoy::streams`].
    pub fn log_streams(mut self) -> Self {
        self.log_streams = true;
        self
    }

    /// The name by which a fleet knows this Envoy.
    pub fn node(self, id: &str) -> Self {
        self.edit_bootstrap("node: { id: bluegreen,", &format!("node: {{ id: {id},"))
    }

    /// The shipped cluster `etcd`, of these members.
    pub fn etcd(self, members: &[SocketAddr]) -> Self {
        let cluster = files::etcd(&shipped("etcd.yaml"), members);
        self.extra_yaml(&cluster)
    }

    /// The shipped cluster `etcd` with TLS, of these members, and with these certificates.
    pub fn etcd_tls(self, members: &[SocketAddr], certificates: &Certificates) -> Self {
        let shipped = shipped("etcd-tls.yaml");
        let paths = [
            ("./etcd-client.crt", "client.crt"),
            ("./etcd-client.key", "client.key"),
            ("./etcd-ca.crt", "ca.crt"),
        ];
        let cluster = paths.iter().fold(shipped, |text, (find, name)| {
            let path = certificates.path(name).display().to_string();
            files::edit("etcd-tls.yaml", &text, find, &path)
        });
        self.extra_yaml(&files::etcd(&cluster, members))
    }

    /// An environment variable of Envoy's process.
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Merged into the bootstrap, as by `--config-yaml`: further listeners (with port 0; see
    /// [`Envoy::listener`]) or clusters.
    pub fn extra_yaml(mut self, yaml: &str) -> Self {
        self.extra_yaml.push_str(yaml);
        self
    }

    /// Starts Envoy and waits until it serves with the filter's configuration in force.
    pub async fn start(self) -> Envoy {
        let envoy = envoy_path();
        let wasm = self
            .wasm
            .clone()
            .unwrap_or_else(|| files::built(files::root().join("dist/bluegreen.wasm")));

        let dir = tempfile::tempdir().expect("a temporary directory");
        let ecds = Ecds::parse(&self.ecds());
        let (bluegreen, config) = ecds.with(self.config.as_ref());
        write(dir.path(), "bluegreen.yaml", &bluegreen);
        write(dir.path(), "bootstrap.yaml", &self.bootstrap());
        fs::copy(&wasm, dir.path().join("bluegreen.wasm"))
            .unwrap_or_else(|error| panic!("{}: {error}", wasm.display()));

        let log = File::create(dir.path().join("envoy.log")).expect("a log file");
        let child = Command::new(&envoy)
            .args([
                "-c",
                "./bootstrap.yaml",
                "--admin-address-path",
                "admin.txt",
            ])
            .args(["--disable-hot-restart", "-l", "info"])
            // At info, `main` lists every extension there is.
            .args(["--component-log-level", "main:warning"])
            .args(["--concurrency", &self.concurrency.to_string()])
            .args(["--config-yaml", &self.extra_yaml])
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", envoy.display()));

        let relabel = self.is_bare.then(Relabel::shipped);
        let envoy = Envoy::running(Process { child, dir }, ecds, relabel).await;
        if self.wait_for_config {
            envoy.wait_for_config(&config).await;
        }
        envoy
    }

    fn ecds(&self) -> String {
        let shipped = shipped("bluegreen.yaml");
        let edited = self
            .plugin_edits
            .iter()
            .fold(shipped, |text, (find, replace)| {
                files::edit("bluegreen.yaml", &text, find, replace)
            });
        let allowed = self
            .capabilities
            .iter()
            .fold(edited, |text, capability| files::allow(&text, capability));
        let restricted = self.withheld.iter().fold(allowed, |text, capability| {
            files::withhold(&text, capability)
        });
        match (self.is_bare, self.withheld.is_empty()) {
            (true, true) => files::unrestricted(&files::bare(&restricted)),
            (true, false) => files::bare(&restricted),
            (false, _) => restricted,
        }
    }

    fn bootstrap(&self) -> String {
        let shipped = files::with_access_log(&shipped("bootstrap.yaml"), &self.access_log());
        let edited = self
            .bootstrap_edits
            .iter()
            .fold(shipped, |text, (find, replace)| {
                files::edit("bootstrap.yaml", &text, find, replace)
            });
        let edited = if self.is_bare {
            files::untagged(&edited)
        } else {
            edited
        };
        let shadow = self.shadow_port();
        files::bootstrap(&edited, self.blue, self.green, shadow) + &self.clusters
    }

    /// The port of the listener for copies: a free one where the configuration asks for copies.
    fn shadow_port(&self) -> u16 {
        let copies = self.config.as_ref().is_some_and(PluginConfig::has_shadow);
        if copies { ports::free() } else { 0 }
    }

    fn access_log(&self) -> String {
        let is_signalled = self.config.as_ref().is_some_and(PluginConfig::has_profile);
        let is_wanted = is_signalled && !self.without_signal;
        let signal = (is_wanted && Feature::Signal.is_there()).then(|| shipped("signal.yaml"));
        match (signal, self.log_streams) {
            (Some(signal), true) => signal + files::STREAM_LOG,
            (Some(signal), false) => signal,
            (None, true) => format!("          access_log:\n{}", files::STREAM_LOG),
            (None, false) => String::new(),
        }
    }
}

/// Whether `TEST_SETUP` is `bare`: so all tests can be run in that set-up. See [`EnvoyBuilder::bare`].
pub fn is_bare() -> bool {
    match std::env::var("TEST_SETUP").as_deref() {
        Ok("bare") => true,
        Ok(other) => panic!("TEST_SETUP={other}, must be bare"),
        Err(_) => false,
    }
}

fn shipped(name: &str) -> String {
    let path = files::root().join("envoy").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
}
