//! Envoys with one configuration, and what a test asks of all of them.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use testbed::{
    Behavior, Client, Envoy, EnvoyBuilder, Etcd, Load, PATIENCE, Report, Request, Upstream,
    eventually, get, post, with,
};
use tokio::time::sleep;

pub const PREFIX: &str = "/bluegreen/test";
pub const FEEDBACK: &str = "/bluegreen/feedback";

/// The interval of all exchanges in these tests.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// What is done to an Envoy before it starts.
type Options = fn(EnvoyBuilder) -> EnvoyBuilder;

#[derive(Debug)]
pub struct Fleet {
    pub blue: Upstream,
    pub green: Upstream,
    pub envoys: Vec<Envoy>,
    pub config: Value,
    members: Vec<SocketAddr>,
    options: Options,
}

/// The rollout `demo`, all on green, with these fields beside or instead of the usual.
pub fn config(fields: Value) -> Value {
    let rollout = json!({
        "name": "demo",
        "clusters": { "blue": "blue", "green": "green" },
        "weights": { "blue": 0, "green": 100 },
    });
    json!({
        "fleet": { "cluster": "etcd", "prefix": PREFIX },
        "feedback": { "path": FEEDBACK, "require": "internal" },
        "rollouts": [with(rollout, fields)],
    })
}

/// As [`config`], where more than half of so many failed requests roll back.
pub fn guarded(min_requests: u32) -> Value {
    let guard = json!({ "window": "10m", "min_requests": min_requests, "max_error_rate": 50 });
    config(json!({ "guard": guard }))
}

/// As [`config`], measuring predictions.
pub fn measured() -> Value {
    let quality = json!({ "min_samples": 1_000_000, "max_f1_drop": 50 });
    config(json!({ "quality": quality, "releases": { "blue": "1", "green": "2" } }))
}

/// A request that green fails.
pub fn failing() -> Request {
    get("/").header("x-test-status", "500")
}

/// A request whose response says that its prediction turned out true.
pub fn true_positive() -> Request {
    get("/").header("x-test-response-header", "x-bluegreen-outcome: tp")
}

/// So many green predictions that turned out true.
pub fn outcomes(count: u64) -> Request {
    let item = json!({ "rollout": "demo", "color": "green", "tp": count });
    post(FEEDBACK, item.to_string())
}

// === impl Fleet ===

impl Fleet {
    /// So many Envoys, each of which knows all others.
    pub async fn start(count: usize, etcd: &Etcd, config: Value) -> Self {
        Self::start_at(count, etcd.endpoints(), config, |envoy| envoy).await
    }

    /// As [`Fleet::start`], with members of etcd and Envoys as the test wants them.
    pub async fn start_at(
        count: usize,
        members: Vec<SocketAddr>,
        config: Value,
        options: Options,
    ) -> Self {
        let mut fleet = Self::empty(members, config, options).await;
        let envoy = |index: usize| fleet.builder(&format!("proxy-{index}")).start();
        fleet.envoys = join_all((0..count).map(envoy)).await;
        fleet.wait_until_connected().await;
        fleet
    }

    /// Without Envoys.
    pub async fn empty(members: Vec<SocketAddr>, config: Value, options: Options) -> Self {
        Self {
            blue: Upstream::start("blue").await,
            green: Upstream::start("green").await,
            envoys: Vec::new(),
            config,
            members,
            options,
        }
    }

    /// An Envoy of this fleet, of this name.
    pub fn builder(&self, node: &str) -> EnvoyBuilder {
        let envoy = Envoy::builder(self.blue.addr(), self.green.addr());
        let envoy = envoy.config(self.config.clone()).node(node);
        let envoy = match self.members.is_empty() {
            true => envoy,
            false => envoy.etcd(&self.members),
        };
        (self.options)(envoy)
    }

    /// Ends an Envoy at once.
    pub fn kill(&mut self, index: usize) {
        drop(self.envoys.remove(index));
    }

    /// An Envoy of the name of one that was killed, in its place.
    pub async fn start_again(&mut self, index: usize) {
        let envoy = self.builder(&format!("proxy-{index}")).start().await;
        self.envoys.insert(index, envoy);
    }

    /// Waits until each knows that all are there.
    pub async fn wait_until_connected(&self) {
        let count = self.envoys.len() as f64;
        for envoy in &self.envoys {
            let all = |seen| seen == count;
            envoy
                .wait_for_metric("bluegreen_fleet_proxies", &[], all)
                .await;
            wait_for_connected(envoy, true).await;
        }
    }

    pub async fn push(&mut self, config: Value) {
        for envoy in &self.envoys {
            assert_eq!(
                envoy.push(config.clone()).await,
                testbed::PushOutcome::Accepted
            );
        }
        self.config = config;
    }

    pub fn client(&self, index: usize) -> Client {
        Client::http1(self.envoys[index].addr())
    }

    /// So many requests that fail, to one Envoy.
    pub async fn fail(&self, index: usize, count: u64) {
        let report = send(&self.envoys[index], count, failing()).await;
        assert_eq!(report.by_status(), [(500, count)].into());
    }

    /// Requests that fail, until one Envoy has rolled back. By itself it does so only once it knows that it is by itself.
    pub async fn fail_until_rolled_back(&self, index: usize) {
        let envoy = &self.envoys[index];
        let rolled_back = || async {
            send(envoy, 20, failing()).await;
            let metrics = envoy.metrics().await;
            match metrics.get("bluegreen_guard_state", &[("rollout", "demo")]) {
                2.0 => Ok(()),
                state => Err(format!("state {state}")),
            }
        };
        eventually("one Envoy rolls back", PATIENCE, rolled_back).await;
        wait_until_served_by(envoy, "blue").await;
    }

    /// Waits until one color serves all, by each Envoy.
    pub async fn wait_until_served_by(&self, color: &str) {
        join_all(
            self.envoys
                .iter()
                .map(|envoy| wait_until_served_by(envoy, color)),
        )
        .await;
    }

    /// Sees that a color serves all, by each Envoy.
    pub async fn assert_served_by(&self, color: &str) {
        for envoy in &self.envoys {
            let report = send(envoy, 20, get("/")).await;
            assert_eq!(report.served_by(color), 20, "{:?}", report.by_served_by());
        }
    }

    /// Sees that a color serves all who come to an Envoy that joins now.
    pub async fn assert_newcomer_served_by(&mut self, color: &str) {
        let newcomer = self.builder("proxy-new").start().await;
        let report = send(&newcomer, 50, get("/")).await;
        assert_eq!(report.served_by(color), 50, "{:?}", report.by_served_by());
        self.envoys.push(newcomer);
    }

    /// Waits until each Envoy knows of so many samples of green.
    pub async fn wait_for_samples(&self, count: u64) {
        for envoy in &self.envoys {
            wait_for_samples(envoy, count).await;
        }
    }

    /// No filter ever failed, and none logged a secret.
    pub async fn assert_sound(&self) {
        for envoy in &self.envoys {
            let stats = envoy.admin_get("/stats?filter=vm_reload").await;
            assert!(stats.contains("vm_reload"), "no vm_reload stats");
            for line in stats.lines() {
                assert!(line.ends_with(": 0"), "{line}");
            }
            let log = envoy.log();
            for text in ["wasm trap", "Uncaught RuntimeError", "panicked"] {
                assert!(!log.contains(text), "`{text}` in Envoy's log:\n{log}");
            }
        }
    }

    pub fn mend(&self) {
        for upstream in [&self.blue, &self.green] {
            upstream.set(Behavior::default());
            upstream.clear();
        }
    }
}

/// A condition that has to hold for some intervals has no end to wait for.
pub async fn some_intervals() {
    sleep(3 * INTERVAL).await;
}

pub async fn send(envoy: &Envoy, count: u64, request: Request) -> Report {
    let load = Load::to(envoy.addr()).count(count);
    load.run(move |_| request.clone()).await
}

pub async fn wait_for_connected(envoy: &Envoy, is_connected: bool) {
    let expected = f64::from(u8::from(is_connected));
    let shown = |value| value == expected;
    envoy
        .wait_for_metric("bluegreen_fleet_connected", &[], shown)
        .await;
}

/// Over connections of their own, so that both workers answer. Where that is after a rollback, none is sent before: good
/// requests would speak for the canary.
pub async fn wait_until_served_by(envoy: &Envoy, color: &str) {
    if color == "blue" {
        wait_for_state(envoy, 2).await;
    }
    let client = Client::http1(envoy.addr()).connection_per_request();
    let served = || async {
        for sent in 0..10 {
            let response = client.get("/").await;
            if response.served_by() != Some(color) {
                return Err(format!("{:?} after {sent}", response.served_by()));
            }
        }
        Ok(())
    };
    eventually(&format!("10 of 10 by {color}"), PATIENCE, served).await;
}

pub async fn wait_for_samples(envoy: &Envoy, count: u64) {
    let green = [("rollout", "demo"), ("color", "green")];
    let all = |samples| samples == count as f64;
    envoy
        .wait_for_metric("bluegreen_quality_samples", &green, all)
        .await;
}

pub async fn trips(envoy: &Envoy) -> f64 {
    let demo = [("rollout", "demo")];
    envoy
        .metrics()
        .await
        .get("bluegreen_guard_trips_total", &demo)
}

/// Waits until the guard of `demo` is in this state: 0 watching, 1 too few requests to judge, 2 tripped.
pub async fn wait_for_state(envoy: &Envoy, state: u32) {
    let demo = [("rollout", "demo")];
    let shown = |value| value == f64::from(state);
    envoy
        .wait_for_metric("bluegreen_guard_state", &demo, shown)
        .await;
}

pub async fn errors(envoy: &Envoy) -> f64 {
    envoy
        .metrics()
        .await
        .get("bluegreen_fleet_errors_total", &[])
}
