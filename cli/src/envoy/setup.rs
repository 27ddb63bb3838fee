//! Whether an Envoy is set up for what a configuration asks of it.

use crate::checks::capabilities;
use crate::envoy::dump::{Dump, Manager, list};
use crate::envoy::streams;
use crate::finding::Finding;
use crate::nearest::nearest;
use bluegreen::{Color, Permission, Policy, Profile, Rollout};
use serde_json::Value;
use std::collections::BTreeSet;

/// The names of the clusters of an Envoy, from its page `/clusters?format=json`.
pub fn cluster_names(page: &Value) -> BTreeSet<String> {
    let statuses = list(page, "cluster_statuses").iter();
    let names = statuses.filter_map(|it| it.get("name")?.as_str());
    names.map(str::to_owned).collect()
}

/// Clusters that Envoy does not know.
pub fn check_clusters(policy: &Policy, clusters: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, rollout) in policy.rollouts.iter().enumerate() {
        let Some(wanted) = &rollout.clusters else {
            continue;
        };
        for color in Color::ALL {
            let name = wanted.of(color).as_str();
            if !clusters.contains(name) {
                let like = nearest(name, clusters.iter().map(String::as_str));
                findings.push(Finding::error(
                    format!("rollouts[{index}].clusters.{}", color.as_str()),
                    format!("{name:?} is no cluster of this Envoy{like}"),
                ));
            }
        }
    }
    findings
}

/// What of Envoy's configuration does not fit. `checks_plugin` is false where the file itself brings the plugin's
/// capabilities.
pub fn check(policy: &Policy, dump: &Dump, checks_plugin: bool) -> Vec<Finding> {
    let managers = dump.managers();
    let mut findings = check_tags(policy, dump);
    if managers.is_empty() {
        let message = "no HTTP connection manager of this Envoy has the filter";
        findings.push(Finding::error("", message));
    }
    for manager in managers {
        let setup = Setup { policy, manager };
        setup.check_routes(&mut findings);
        setup.check_stripped(&mut findings);
        setup.check_internal(&mut findings);
        setup.check_signal(&mut findings);
        streams::check(policy, &manager, &setup.chosen(), &mut findings);
        if checks_plugin {
            setup.check_plugin(&mut findings);
        }
    }
    findings
}

fn check_tags(policy: &Policy, dump: &Dump) -> Vec<Finding> {
    let tags = dump.stats_tags();
    let judges = |rollout: &Rollout| rollout.guard.is_some() || rollout.quality.is_some();
    let has_quality = |rollout: &Rollout| rollout.quality.is_some();
    let has_scores = |rollout: &Rollout| !rollout.scores().is_empty();
    let wanted = [
        ("rollout", true),
        ("color", true),
        ("reason", true),
        ("code_class", policy.profile.shows_streams()),
        ("cause", policy.rollouts.iter().any(judges)),
        ("outcome", policy.rollouts.iter().any(Rollout::measures)),
        ("score", policy.rollouts.iter().any(has_scores)),
        ("limit", policy.rollouts.iter().any(has_quality)),
    ];
    let wanted = wanted.into_iter().filter(|(_, is_wanted)| *is_wanted);
    let missing: Vec<&str> = wanted
        .map(|(tag, _)| tag)
        .filter(|tag| !tags.contains(tag))
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let missing = missing.join(", ");
    let message =
        format!("stats_tags lacks {missing}: these labels stand within the names of stats");
    vec![Finding::warning("", message)]
}

/// A policy, and a connection manager that it has to fit.
struct Setup<'a> {
    policy: &'a Policy,
    manager: Manager<'a>,
}

// === impl Setup ===

impl Setup<'_> {
    /// The routes that the filter's headers choose, each with its virtual host.
    fn chosen(&self) -> Vec<(&Value, &Value)> {
        let route_header = self.policy.route_header.as_str();
        let color_header = self.policy.color_header.as_ref().map(|it| it.as_str());
        let is_chosen = |route: &Value| {
            names_header(route.pointer("/route/cluster_header"), route_header)
                || color_header.is_some_and(|header| matches_on(route, header))
        };
        let routes = self.manager.routes().into_iter();
        routes.filter(|(_, route)| is_chosen(route)).collect()
    }

    fn check_routes(&self, findings: &mut Vec<Finding>) {
        if !self.manager.knows_routes() {
            return;
        }
        let name = self.manager.name();
        let header = self.policy.route_header.as_str();
        let routes = self.manager.routes();
        let mut rollouts = self.policy.rollouts.iter();
        let by_cluster = |(_, route): &(&Value, &Value)| {
            names_header(route.pointer("/route/cluster_header"), header)
        };
        if rollouts.any(|it| it.clusters.is_some()) && !routes.iter().any(by_cluster) {
            let message = format!(
                "{name}: no route has `cluster_header: {header}`, so nobody obeys the filter"
            );
            findings.push(Finding::error("route_header", message));
        }
        let mut rollouts = self.policy.rollouts.iter();
        let without = rollouts.position(|it| it.clusters.is_none());
        if let (Some(index), Some(color)) = (without, &self.policy.color_header)
            && !routes
                .iter()
                .any(|(_, route)| matches_on(route, color.as_str()))
        {
            let color = color.as_str();
            let message =
                format!("{name}: the rollout has no clusters, and no route matches on {color}");
            findings.push(Finding::error(format!("rollouts[{index}]"), message));
        }
        let is_seen = |(host, route): &(&Value, &Value)| {
            by_cluster(&(*host, *route)) && !self.manager.hides(header, host, route)
        };
        if routes.iter().any(is_seen) {
            let message =
                format!("{name}: upstreams see {header}: add it to request_headers_to_remove");
            findings.push(Finding::warning("route_header", message));
        }
    }

    fn check_stripped(&self, findings: &mut Vec<Finding>) {
        let name = self.manager.name();
        let route_header = Some(("route_header", self.policy.route_header.as_str()));
        let color_header = self.policy.color_header.as_ref();
        let color_header = color_header.map(|it| ("color_header", it.as_str()));
        let routes = self.manager.routes();
        for (field, header) in route_header.into_iter().chain(color_header) {
            let is_obeyed = |(_, route): &(&Value, &Value)| {
                names_header(route.pointer("/route/cluster_header"), header)
                    || matches_on(route, header)
            };
            if routes.iter().any(is_obeyed) && !self.manager.strips(header) {
                let message = format!(
                    "{name}: early_header_mutation_extensions does not remove {header}: a client's own is \
                     obeyed where the filter is absent"
                );
                findings.push(Finding::warning(field, message));
            }
        }
    }

    fn check_internal(&self, findings: &mut Vec<Finding>) {
        let is_internal = |permission: &Permission| *permission == Permission::Internal;
        let overrides = self.policy.rollouts.iter().enumerate();
        let mut overrides = overrides.filter_map(|(index, rollout)| {
            let require = &rollout.overrides.as_ref()?.require;
            is_internal(require).then(|| format!("rollouts[{index}].override.require"))
        });
        let feedback = self.policy.feedback.as_ref();
        let feedback = feedback.filter(|it| is_internal(&it.require));
        let path = overrides
            .next()
            .or(feedback.map(|_| "feedback.require".to_owned()));
        let Some(path) = path else {
            return;
        };
        let name = self.manager.name();
        let config = self.manager.config;
        if config.get("internal_address_config").is_none() {
            let message = format!(
                "{name}: internal_address_config is missing: no request counts as internal"
            );
            findings.push(Finding::error(path, message));
        } else if config.get("use_remote_address") != Some(&Value::Bool(true)) {
            let message = format!(
                "{name}: use_remote_address is not true: who is internal goes by what the client says"
            );
            findings.push(Finding::warning(path, message));
        }
    }

    fn check_signal(&self, findings: &mut Vec<Finding>) {
        let mut logs = list(self.manager.config, "access_log").iter();
        let is_stats = |log: &Value| {
            let kind = log.pointer("/typed_config/@type").and_then(Value::as_str);
            kind.is_some_and(|kind| kind.contains(".access_loggers.stats."))
        };
        if self.policy.profile != Profile::Full && !logs.any(is_stats) {
            let message = format!(
                "{}: the access log that signals streams is missing: every stream is queried",
                self.manager.name()
            );
            findings.push(Finding::warning("profile", message));
        }
    }

    fn check_plugin(&self, findings: &mut Vec<Finding>) {
        let Some(plugin) = self.manager.plugin else {
            return;
        };
        let allowed = plugin.pointer("/capability_restriction_config/allowed_capabilities");
        let allowed = allowed
            .and_then(Value::as_object)
            .filter(|it| !it.is_empty());
        if let Some(allowed) = allowed {
            let allowed: Vec<String> = allowed.keys().cloned().collect();
            let holds = plugin.get("allow_on_headers_stop_iteration") == Some(&Value::Bool(true));
            findings.extend(capabilities::check(self.policy, &allowed, holds));
        }
    }
}

fn names_header(name: Option<&Value>, header: &str) -> bool {
    let name = name.and_then(Value::as_str);
    name.is_some_and(|name| name.eq_ignore_ascii_case(header))
}

fn matches_on(route: &Value, header: &str) -> bool {
    let matches = route.get("match").map(|it| list(it, "headers"));
    let mut headers = matches.unwrap_or_default().iter();
    headers.any(|it| names_header(it.get("name"), header))
}
