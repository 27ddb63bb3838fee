//! What `explain` tells of a request.

use crate::request::OfflineRequest;
use crate::show::{Shown, percent_json, source_name, weights_json};
use bluegreen::{
    Bucket, Color, KeySource, OverrideResult, Permission, Policy, Rollout, RolloutStatus, Weights,
};
use serde_json::Value;

/// What is told of one request.
#[derive(Debug, Default)]
pub struct Answer {
    /// In one sentence.
    pub sentence: String,
    /// The lines of a small table.
    pub rows: Vec<(&'static str, String)>,
    /// What the operator should know.
    pub notes: Vec<String>,
    /// For programs.
    pub json: serde_json::Map<String, Value>,
}

// === impl Answer ===

impl Answer {
    /// What becomes of a request at a time in milliseconds since 1970.
    pub fn of(policy: &Policy, request: &OfflineRequest, now_ms: u64) -> Answer {
        let mut answer = Answer::default();
        let feedback = policy.feedback.as_ref();
        if feedback.is_some_and(|it| it.is_at(request.path.as_bytes())) {
            answer.sentence =
                "The filter itself answers this request: it is the path of feedback.".to_owned();
            answer.set("rollout", Value::Null);
            return answer;
        }
        let Some(index) = request.with(|it| policy.find(&it.headers)) else {
            let host = request.authority.as_deref().unwrap_or("no host");
            answer.sentence = format!(
                "No rollout matches {host} and {}: the request passes unchanged, but for {}.",
                Shown::path(&request.path),
                dropped(policy)
            );
            answer.set("rollout", Value::Null);
            return answer;
        };
        let Some(rollout) = policy.rollouts.get(index) else {
            return answer;
        };
        answer.set("rollout", rollout.name.as_str().into());
        answer.row(
            "rollout",
            format!("{} ({})", rollout.name.as_str(), matched(rollout)),
        );
        let weights = rollout.weights_at(now_ms, RolloutStatus::default());
        let overridden = rollout.overrides.as_ref();
        let overridden = overridden.map(|it| request.with(|request| it.result(&request.headers)));
        match overridden {
            Some(OverrideResult::Granted(color)) => answer.overridden(rollout, color),
            denied => {
                if denied == Some(OverrideResult::Denied) {
                    answer.denied(rollout);
                }
                answer.decided(rollout, request, weights);
            }
        }
        answer.weights(rollout, weights, now_ms);
        answer
    }

    fn row(&mut self, name: &'static str, value: impl Into<String>) {
        self.rows.push((name, value.into()));
    }

    fn set(&mut self, name: &str, value: Value) {
        self.json.insert(name.to_owned(), value);
    }

    fn color(&mut self, rollout: &Rollout, color: Color) {
        let cluster = cluster(rollout, color);
        let shown = cluster.map_or_else(String::new, |it| format!(", cluster {it}"));
        self.row("color", format!("{}{shown}", color.as_str()));
        self.set("color", color.as_str().into());
        self.set("cluster", cluster.into());
    }

    fn overridden(&mut self, rollout: &Rollout, color: Color) {
        let why = match rollout.overrides.as_ref().map(|it| &it.require) {
            Some(Permission::Internal) => "x-envoy-internal: true allows it",
            Some(Permission::Token(_)) => "its token allows it",
            _ => "anyone may",
        };
        let (name, shown) = (rollout.name.as_str(), color.as_str());
        self.sentence = format!("{name}: {shown} serves this request, by an override: {why}.");
        self.set("reason", "override".into());
        self.color(rollout, color);
        if why.starts_with("x-envoy") {
            self.notes.push(
                "Envoy itself sets x-envoy-internal, by internal_address_config, and removes a client's".to_owned(),
            );
        }
    }

    fn denied(&mut self, rollout: &Rollout) {
        let require = rollout.overrides.as_ref().map(|it| &it.require);
        self.set("override_denied", true.into());
        self.notes.push(match require {
            Some(Permission::Internal) => {
                "the override is ignored, unless Envoy finds the client internal; \
                 -H 'x-envoy-internal: true' shows what happens then"
                    .to_owned()
            }
            Some(Permission::Token(token)) => format!(
                "the override is ignored: {} does not hold its token",
                token.header.as_str()
            ),
            _ => "the override is ignored".to_owned(),
        });
    }

    fn decided(&mut self, rollout: &Rollout, request: &OfflineRequest, weights: Weights) {
        let found = request.with(|it| {
            rollout
                .key(it)
                .map(|(index, key)| (index, key.into_owned()))
        });
        let before = found
            .as_ref()
            .map_or(rollout.sticky.len(), |(index, _)| *index);
        let unknown = rollout.sticky.iter().take(before);
        let unknown: Vec<&KeySource> = unknown.filter(|source| request.lacks(source)).collect();
        for source in &unknown {
            let option = match source {
                KeySource::SourceIp => "--source-ip ADDRESS",
                _ => "--metadata namespace/key=value",
            };
            self.notes.push(format!(
                "{} comes before and is known to Envoy alone: this holds where it is absent; give it with {option}",
                source_name(source)
            ));
        }
        let names = unknown
            .iter()
            .map(|source| Value::from(source_name(source)));
        self.set("unknown_sources", names.collect());
        let source = found.and_then(|(index, key)| Some((rollout.sticky.get(index)?, index, key)));
        match source {
            Some((source, index, key)) => self.sticky(rollout, source, index, &key, weights),
            None => self.drawn(rollout, weights),
        }
    }

    fn sticky(
        &mut self,
        rollout: &Rollout,
        source: &KeySource,
        index: usize,
        key: &[u8],
        weights: Weights,
    ) {
        let bucket = rollout.salt.bucket(key);
        let color = bucket.color(weights);
        let (green, number, least) = (
            weights.of(Color::Green),
            bucket.number(),
            bucket.least_green(),
        );
        let source = source_name(source);
        let is_below = if color == Color::Green {
            "below"
        } else {
            "not below"
        };
        let (name, shown) = (rollout.name.as_str(), color.as_str());
        self.sentence = format!(
            "{name}: {shown} serves this user, by {source}: bucket {number} is {is_below} green's {green} %."
        );
        let sources = rollout.sticky.len();
        let shown_key = Shown::bytes(key);
        self.row(
            "key",
            format!(
                "{shown_key}, from {source} (source {} of {sources})",
                index + 1
            ),
        );
        let (salt, buckets) = (rollout.salt.as_str(), Bucket::COUNT);
        self.row("bucket", format!("{number} of {buckets}, salt {salt:?}"));
        self.color(rollout, color);
        self.row(
            "changes color",
            format!("blue below a green weight of {least} %, green from there on"),
        );
        self.set("reason", "sticky".into());
        self.set("source", source.into());
        self.set("source_index", index.into());
        self.set("key", String::from_utf8_lossy(key).into());
        self.set("bucket", number.into());
        self.set("green_from_percent", percent_json(least));
    }

    fn drawn(&mut self, rollout: &Rollout, weights: Weights) {
        let name = rollout.name.as_str();
        let green = weights.of(Color::Green);
        let (reason, sentence) = match &rollout.new_cookie {
            Some(cookie) => (
                "generated",
                format!(
                    "{name}: no source has a key: a new user is drawn, green with {green} %, and keeps the color by \
                     the new cookie {}.",
                    cookie.name().as_str()
                ),
            ),
            None => (
                "random",
                format!(
                    "{name}: no source has a key: each request is drawn, green with {green} %."
                ),
            ),
        };
        self.sentence = sentence;
        self.set("reason", reason.into());
        self.set("color", Value::Null);
    }

    fn weights(&mut self, rollout: &Rollout, weights: Weights, now_ms: u64) {
        let started = rollout.ramp.as_ref().map(|ramp| ramp.start_ms() <= now_ms);
        let from = match started {
            None => "from weights",
            Some(false) => "from weights, before the ramp starts",
            Some(true) => "from the ramp",
        };
        let (blue, green) = (weights.of(Color::Blue), weights.of(Color::Green));
        self.row("weights", format!("blue {blue} %, green {green} %, {from}"));
        self.set("weights", weights_json(weights));
        if rollout.guard.is_some() || rollout.ramp.is_some() || rollout.quality.is_some() {
            self.notes.push(
                "this is what the file says; what an Envoy has seen since (a rollback, a ramp that waits) `bluegreen \
                 status` shows"
                    .to_owned(),
            );
        }
    }
}

/// The headers that no client's value survives in.
fn dropped(policy: &Policy) -> String {
    let color = policy.color_header.as_ref().map(|it| it.as_str());
    let route = policy.route_header.as_str();
    match color {
        Some(color) => format!("{route} and {color}, which are removed"),
        None => format!("{route}, which is removed"),
    }
}

fn matched(rollout: &Rollout) -> String {
    let hosts = rollout.matches.hosts.iter().map(ToString::to_string);
    let hosts: Vec<String> = hosts.collect();
    let hosts = hosts.join(", ");
    match rollout.matches.path_prefix.as_str() {
        "" => format!("{hosts}, any path"),
        prefix => format!("{hosts}, path {prefix}"),
    }
}

fn cluster(rollout: &Rollout, color: Color) -> Option<&str> {
    rollout.clusters.as_ref().map(|it| it.of(color).as_str())
}
