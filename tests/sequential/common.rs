//! Rollouts with a sequential guard, their traffic, and what comes of it.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::{EnvoyBuilder, Load, Request, TestEnv, Upstream, eventually, get, merge};

pub const TRIPS: &str = "bluegreen_guard_trips_total";
const STATE: &str = "bluegreen_guard_state";
const EVIDENCE: &str = "bluegreen_guard_evidence_percent";

/// How long a test waits for what takes seconds, on a machine that is busy with others.
pub const LONG: Duration = Duration::from_secs(90);

/// So many users send requests in turn, where a test says nothing else.
pub const USERS: u64 = 500;

/// What came of a rollback: requests that went wrong until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub canary: u64,
    pub stable: u64,
}

/// A rollout at `/NAME` between the two upstreams at 10 % green, by user, with a sequential guard that
/// tolerates nothing; these fields beside or instead of the usual.
pub fn rollout(name: &str, fields: Value) -> Value {
    let mut rollout = json!({
        "name": name,
        "match": { "path_prefix": format!("/{name}") },
        "clusters": { "blue": "blue", "green": "green" },
        "weights": weights(10),
        "sticky": [{ "header": "x-user-id" }],
        "guard": { "sequential": { "tolerance": 0 } },
    });
    merge(&mut rollout, fields);
    rollout
}

pub fn weights(green: u32) -> Value {
    json!({ "blue": 100 - green, "green": green })
}

pub fn config(rollouts: impl Into<Vec<Value>>) -> Value {
    json!({ "rollouts": rollouts.into() })
}

/// An environment whose guards have begun to look.
pub async fn watched(config: Value) -> TestEnv {
    watched_with(config, |envoy| envoy).await
}

/// As [`watched`], with an Envoy as the test wants it.
pub async fn watched_with(
    config: Value,
    options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder,
) -> TestEnv {
    let names: Vec<String> = names(&config);
    let env = TestEnv::start_with(|envoy| options(envoy.config(config))).await;
    for name in names {
        wait_for_state(&env, &name, 1).await;
    }
    env
}

fn names(config: &Value) -> Vec<String> {
    let rollouts = config["rollouts"].as_array().expect("rollouts");
    let name = |rollout: &Value| rollout["name"].as_str().expect("a name").to_owned();
    rollouts.iter().map(name).collect()
}

/// A request to a rollout.
pub fn as_user(rollout: &str, user: &str) -> Request {
    get(&format!("/{rollout}")).header("x-user-id", user)
}

/// The users of a rollout whom green serves at so many percent, or blue.
pub fn users_of(rollout: &str, wanted: &str, green: u32) -> impl Iterator<Item = String> {
    let users = (0..).map(|i| format!("user-{i}"));
    users.filter(move |user| testbed::color(rollout, user, green * 1_000) == wanted)
}

/// Traffic of many users, 200 requests a second.
pub fn traffic(env: &TestEnv) -> Load {
    Load::to(env.envoy.addr()).per_second(200.0)
}

/// The i-th request of a rollout's traffic. Users come in an order that has nothing to do with their colors.
pub fn request_of(rollout: &str) -> impl Fn(u64) -> Request + Send + Sync + 'static {
    let rollout = rollout.to_owned();
    move |i| as_user(&rollout, &format!("user-{}", i * 37 % USERS))
}

/// So many requests of a rollout's traffic, all of which have ended and are known to the guard.
pub async fn serve(env: &TestEnv, rollout: &str, count: u64) {
    let before = finished(env, rollout).await;
    let report = traffic(env).count(count).run(request_of(rollout)).await;
    assert_eq!(report.sent(), count);
    wait_for_finished(env, rollout, before + count).await;
}

/// Requests of a rollout that the guard counts, as far as the VMs have told.
pub async fn finished(env: &TestEnv, rollout: &str) -> u64 {
    let metrics = env.envoy.metrics().await;
    let finished = metrics.find("bluegreen_guard_finished_total", &[("rollout", rollout)]);
    finished.unwrap_or(0.0) as u64
}

/// Waits until the VMs have told of so many requests: the leader's next look is at all that went wrong among them.
pub async fn wait_for_finished(env: &TestEnv, rollout: &str, count: u64) {
    let told = || async {
        match finished(env, rollout).await {
            told if told == count => Ok(()),
            told => Err(format!("{told} of {count}")),
        }
    };
    eventually(&format!("all requests of {rollout} end"), LONG, told).await;
}

/// Waits for a state of a guard: 0 watching, 1 too few requests to judge, 2 tripped.
pub async fn wait_for_state(env: &TestEnv, rollout: &str, state: u32) {
    let is_right = |value| value == f64::from(state);
    let labels = [("rollout", rollout)];
    env.envoy.wait_for_metric(STATE, &labels, is_right).await;
}

/// How much evidence a guard shows.
pub async fn evidence(env: &TestEnv, rollout: &str, cause: &str) -> f64 {
    let labels = [("rollout", rollout), ("cause", cause)];
    env.envoy.metrics().await.get(EVIDENCE, &labels)
}

/// Waits for the rollback of a rollout for this cause, under traffic that has begun, and checks all there is to see
/// of it: it is counted and logged once, the evidence has reached 100 percent, all weight is blue's, and blue serves
/// those who had green.
pub async fn wait_for_rollback(env: &TestEnv, rollout: &str, cause: &str) -> Found {
    let labels = [("rollout", rollout), ("cause", cause)];
    let tripped = || async {
        match env.envoy.metrics().await.find(TRIPS, &labels) {
            Some(1.0) => Ok(()),
            other => Err(format!(
                "{other:?} trips, evidence {} %",
                evidence(env, rollout, cause).await
            )),
        }
    };
    eventually(&format!("{rollout} is rolled back"), LONG, tripped).await;
    wait_for_state(env, rollout, 2).await;
    let shown = |percent| percent == 100.0;
    env.envoy.wait_for_metric(EVIDENCE, &labels, shown).await;
    let green = [("rollout", rollout), ("color", "green")];
    let none = |weight| weight == 0.0;
    let weight = "bluegreen_weight_millipercent";
    env.envoy.wait_for_metric(weight, &green, none).await;
    let user = users_of(rollout, "green", 10).next().expect("a user");
    env.wait_until_served_by("blue", &as_user(rollout, &user))
        .await;
    let trips = env.envoy.metrics().await.get(TRIPS, &labels[..1]);
    assert_eq!(trips, 1.0, "{rollout}");
    found(env, rollout, cause)
}

/// What the log says of the one rollback of a rollout.
fn found(env: &TestEnv, rollout: &str, cause: &str) -> Found {
    let begin = format!("rollout {rollout}: rolled back to blue: {cause}: ");
    let log = env.envoy.log();
    let lines: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split_once(&begin).map(|(_, figures)| figures))
        .collect();
    let [figures] = lines[..] else {
        panic!("{rollout}: {} rollbacks in\n{log}", lines.len());
    };
    let mut numbers = figures.split(' ').filter_map(|word| word.parse().ok());
    let [canary, stable] = [numbers.next(), numbers.next()].map(|it| it.expect("a number"));
    let what = match cause {
        "errors_sequential" => "failed",
        _ => "were slow",
    };
    let expected = format!(
        "{canary} canary and {stable} stable requests {what}, more of the canary's than chance allows, also without \
         any one user"
    );
    assert!(figures.starts_with(&expected), "{figures}");
    Found { canary, stable }
}

/// A rollout was not rolled back so far, and its guard has less evidence than it takes.
pub async fn assert_harmless(env: &TestEnv, rollout: &str) {
    let metrics = env.envoy.metrics().await;
    let labels = [("rollout", rollout)];
    assert_eq!(metrics.get(TRIPS, &labels), 0.0, "{rollout}");
    for sample in ["errors_sequential", "slow_sequential"] {
        let percent = metrics.get(EVIDENCE, &[("rollout", rollout), ("cause", sample)]);
        assert!(percent < 100.0, "{rollout} {sample}: {percent} %");
    }
}

/// Upstreams of their own for rollouts that share an Envoy.
pub async fn upstreams<const N: usize>(names: [&str; N]) -> [Upstream; N] {
    let mut started = Vec::new();
    for name in names {
        started.push(Upstream::start(name).await);
    }
    started.try_into().expect("as many as names")
}

/// One more cluster for each upstream, called like it.
pub fn with_clusters(envoy: EnvoyBuilder, names: &[&str], upstreams: &[Upstream]) -> EnvoyBuilder {
    let both = names.iter().zip(upstreams);
    both.fold(envoy, |envoy, (name, upstream)| {
        envoy.cluster(name, upstream.addr())
    })
}
