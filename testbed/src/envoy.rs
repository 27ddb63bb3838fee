//! A running Envoy.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use tokio::sync::Mutex;

use crate::client::Client;
use crate::eventually::{PATIENCE, eventually};
use crate::files::{Ecds, PluginConfig, STREAMS, fingerprint_of_text};
use crate::metrics::Metrics;
use crate::process::{Process, tail};
use crate::relabel::Relabel;
use crate::request::{Request, post};

/// An Envoy process in a directory of its own. It ends with this value.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    admin: Client,
    listeners: HashMap<String, SocketAddr>,
    ecds: Ecds,
    /// Where Envoy has no tags for its stats.
    relabel: Option<Relabel>,
    push: Mutex<()>,
}

/// What Envoy made of a new plugin configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum PushOutcome {
    /// In force: a request sent from now on meets it.
    Accepted,
    /// The one before stays.
    Rejected,
}

// === impl Envoy ===

impl Envoy {
    pub(crate) async fn running(
        mut process: Process,
        ecds: Ecds,
        relabel: Option<Relabel>,
    ) -> Self {
        let admin = process.wait_for_admin().await;
        let mut envoy = Self {
            process,
            admin: Client::http1(admin),
            listeners: HashMap::new(),
            ecds,
            relabel,
            push: Mutex::new(()),
        };
        envoy.listeners = envoy.bound_listeners().await;
        envoy
    }

    /// Where requests go: the listener `ingress`.
    pub fn addr(&self) -> SocketAddr {
        self.listener("ingress")
    }

    /// Where a listener of this name, given port 0, listens.
    pub fn listener(&self, name: &str) -> SocketAddr {
        *self
            .listeners
            .get(name)
            .unwrap_or_else(|| panic!("no listener {name} in {:?}", self.listeners))
    }

    /// Envoy's working directory.
    pub fn dir(&self) -> &Path {
        self.process.dir.path()
    }

    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// Puts a new plugin configuration in place as an operator does, and waits for Envoy's verdict.
    pub async fn push(&self, config: impl Into<Value>) -> PushOutcome {
        self.push_config(PluginConfig::json(config)).await
    }

    /// As [`Envoy::push`], with text that need not be JSON.
    pub async fn push_raw(&self, text: impl Into<String>) -> PushOutcome {
        self.push_config(PluginConfig::Raw(text.into())).await
    }

    async fn push_config(&self, config: PluginConfig) -> PushOutcome {
        let _one_at_a_time = self.push.lock().await;
        let (text, _) = self.ecds.with(Some(&config));
        let (accepted, refused) = self.verdicts().await;
        replace(self.dir(), "bluegreen.yaml", &text);
        // Envoy hands the configuration to the workers before it counts a success, and a worker takes
        // it up before any request that comes later. `config_reload` rises on a rejection as well.
        let verdict = || async {
            match self.verdicts().await {
                (now, _) if now > accepted => Ok(PushOutcome::Accepted),
                (_, now) if now > refused => Ok(PushOutcome::Rejected),
                _ => Err("no verdict".to_owned()),
            }
        };
        eventually("Envoy takes up the new bluegreen.yaml", PATIENCE, verdict).await
    }

    /// Configurations accepted and refused so far.
    async fn verdicts(&self) -> (u64, u64) {
        let stats = self
            .admin_get(
                "/stats?filter=^extension_config_discovery[.]http_filter[.]bluegreen[.]update_",
            )
            .await;
        let count = |name: &str| {
            stat(
                &stats,
                &format!("extension_config_discovery.http_filter.bluegreen.{name}"),
            )
        };
        let count = |name| count(name).unwrap_or_else(|| panic!("no {name} in:\n{stats}"));
        (
            count("update_success"),
            count("update_rejected") + count("update_failure"),
        )
    }

    /// Waits until the filter reports that it runs with this configuration.
    pub(crate) async fn wait_for_config(&self, config: &[u8]) {
        let expected = fingerprint_of_text(config);
        let reported = || async {
            match self
                .find_counter("wasmcustom.bluegreen.config_fingerprint")
                .await
            {
                Some(reported) if reported == expected => Ok(()),
                other => Err(format!("{other:?}, expected {expected}")),
            }
        };
        eventually("the filter's config_fingerprint", PATIENCE, reported).await;
    }

    /// Envoy's log so far.
    pub fn log(&self) -> String {
        self.process.log().expect("Envoy's log")
    }

    /// Waits for a line with this text, and gives back the first one.
    pub async fn wait_for_log(&self, text: &str) -> String {
        let line = || async {
            let log = self.log();
            let found = log.lines().find(|line| line.contains(text));
            found.map(str::to_owned).ok_or_else(|| tail(&log, 3))
        };
        eventually(&format!("a log line with `{text}`"), PATIENCE, line).await
    }

    /// How streams have ended so far, such as `200 - via_upstream`, and how many each way. Wants
    /// [`log_streams`](crate::EnvoyBuilder::log_streams). Envoy writes it when it has much to write or is asked to.
    pub async fn streams(&self) -> BTreeMap<String, u64> {
        self.admin_post("/reopen_logs").await;
        let path = self.dir().join(STREAMS);
        let log = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{STREAMS}: {error}"));
        let mut streams = BTreeMap::new();
        for line in log.lines() {
            *streams.entry(line.to_owned()).or_default() += 1;
        }
        streams
    }

    /// Waits for a stream that has ended so, and gives back all.
    pub async fn wait_for_stream(&self, end: &str) -> BTreeMap<String, u64> {
        let written = || async {
            let streams = self.streams().await;
            let found = streams.keys().any(|line| line.starts_with(end));
            found
                .then_some(streams.clone())
                .ok_or(format!("{streams:?}"))
        };
        eventually(&format!("a stream `{end}`"), PATIENCE, written).await
    }

    /// Sets all counters to 0, as by `/reset_counters`.
    pub async fn reset_counters(&self) {
        self.admin_post("/reset_counters").await;
    }

    /// The body of an admin page.
    pub async fn admin_get(&self, path: &str) -> String {
        self.admin(crate::get(&path.replace('^', "%5E"))).await
    }

    pub async fn admin_post(&self, path: &str) -> String {
        self.admin(post(path, "")).await
    }

    async fn admin(&self, request: Request) -> String {
        let path = request.path.clone();
        let response = self.admin.send(request).await;
        assert_eq!(response.status, 200, "admin {path}: {}", response.text());
        response.text()
    }

    /// A counter or gauge by its plain name, such as `wasm.bluegreen.vm_reload`.
    pub async fn counter(&self, name: &str) -> u64 {
        self.find_counter(name)
            .await
            .unwrap_or_else(|| panic!("Envoy has no counter {name}"))
    }

    /// As [`Envoy::counter`], for one that Envoy may not have yet.
    pub async fn find_counter(&self, name: &str) -> Option<u64> {
        let filter = name.replace('.', "[.]");
        stat(
            &self.admin_get(&format!("/stats?filter=^{filter}")).await,
            name,
        )
    }

    /// A scrape of `/stats/prometheus`. Histograms may lag one scrape behind; counters don't.
    pub async fn metrics(&self) -> Metrics {
        let metrics = Metrics::parse(&self.admin_get("/stats/prometheus").await);
        match &self.relabel {
            Some(rules) => metrics.relabeled(rules),
            None => metrics,
        }
    }

    /// Waits until a metric, summed over the samples with these labels, is as it should be.
    pub async fn wait_for_metric(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        is_right: impl Fn(f64) -> bool,
    ) -> f64 {
        let value = || async {
            match self.metrics().await.find(name, labels) {
                Some(value) if is_right(value) => Ok(value),
                other => Err(format!("{other:?}")),
            }
        };
        eventually(&format!("{name}{labels:?}"), PATIENCE, value).await
    }

    async fn bound_listeners(&self) -> HashMap<String, SocketAddr> {
        let ready = || async {
            match self.admin.send(crate::get("/ready")).await.text().trim() {
                "LIVE" => Ok(()),
                other => Err(other.to_owned()),
            }
        };
        eventually("Envoy is ready", PATIENCE, ready).await;
        let status: Value = serde_json::from_str(&self.admin_get("/listeners?format=json").await)
            .expect("listeners");
        let listeners = status["listener_statuses"]
            .as_array()
            .expect("listener_statuses");
        listeners.iter().map(listener).collect()
    }
}

fn listener(status: &Value) -> (String, SocketAddr) {
    let socket = &status["local_address"]["socket_address"];
    let text = |value: &Value| {
        value
            .as_str()
            .unwrap_or_else(|| panic!("no listener: {status}"))
            .to_owned()
    };
    let addr = format!("{}:{}", text(&socket["address"]), socket["port_value"]);
    (
        text(&status["name"]),
        addr.parse().expect("a listener's address"),
    )
}

fn stat(stats: &str, name: &str) -> Option<u64> {
    let value = stats
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}: {value} is no count")),
    )
}

/// Writes a file beside the old one and renames it into place.
fn replace(dir: &Path, name: &str, text: &str) {
    let new = dir.join(format!("{name}.new"));
    fs::write(&new, text).unwrap_or_else(|error| panic!("{}: {error}", new.display()));
    fs::rename(&new, dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
}
