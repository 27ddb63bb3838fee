//! What the services of a cluster say of themselves.

use crate::drift::cluster::Cluster;
use crate::drift::settings::{Group, Place, Settings};
use crate::envoy::admin::agent;
use crate::failure::Failure;
use serde_json::Value;
use ureq::Agent;

/// What all services of a cluster say, and where they say different things.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// What all say.
    pub settings: Settings,
    /// Where they differ among themselves: what is of one instance only.
    pub of_instances: Vec<Place>,
}

/// So many services of a cluster are asked.
const MAX_ASKED: usize = 20;
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Asks the services of a cluster, at the endpoints that Envoy sends requests to, or at all of them where it sends none.
///
/// # Errors
/// Where one does not answer with JSON.
pub fn ask(cluster: &Cluster, path: &str) -> Result<Said, Failure> {
    let Cluster { name, .. } = cluster;
    if cluster.has_tls {
        return Err(Failure::unreachable(format!(
            "{name}: its endpoints speak TLS, which --env-path does not: leave it out"
        )));
    }
    let is_any_healthy = cluster.endpoints.iter().any(|it| it.is_healthy);
    let asked = cluster
        .endpoints
        .iter()
        .filter(|it| it.is_healthy || !is_any_healthy);
    let urls = asked.filter_map(|it| it.url(path)).take(MAX_ASKED);
    let agent = agent();
    let answers = urls.map(|url| get(&agent, name, &url));
    let answers: Vec<Settings> = answers.collect::<Result<_, _>>()?;
    let Some((first, others)) = answers.split_first() else {
        return Err(Failure::unreachable(format!(
            "{name}: it has no endpoint to ask for {path}"
        )));
    };
    let mut said = Said {
        settings: first.clone(),
        ..Said::default()
    };
    for other in others {
        let places = said
            .settings
            .iter()
            .chain(other.iter())
            .map(|(place, _)| place);
        let same = |settings: &Settings, place: &Place| {
            settings
                .get(place)
                .map(|value| cluster.aliases.applied(value))
        };
        let differ = |place: &&Place| same(&said.settings, place) != same(other, place);
        let different: Vec<Place> = places.filter(differ).cloned().collect();
        for place in different {
            said.settings.remove(&place);
            said.of_instances.push(place);
        }
    }
    said.of_instances.sort();
    said.of_instances.dedup();
    Ok(said)
}

fn get(agent: &Agent, name: &str, url: &str) -> Result<Settings, Failure> {
    let failed = |why: String| Failure::unreachable(format!("{name}: {url}: {why}"));
    let mut answer = agent.get(url).call().map_err(|error| match error {
        ureq::Error::StatusCode(status) => failed(format!("answers with {status}")),
        ureq::Error::Timeout(_) => failed("no answer within 5 s".to_owned()),
        ureq::Error::Io(error) => failed(crate::file::config_file::said(&error)),
        other => failed(other.to_string()),
    })?;
    if answer.status() != 200 {
        return Err(failed(format!("answers with {}", answer.status().as_u16())));
    }
    let body = answer.body_mut().with_config().limit(MAX_BYTES);
    let body = body
        .read_to_string()
        .map_err(|error| failed(error.to_string()))?;
    let json: Option<Value> = serde_json::from_str(&body).ok();
    let json = json.filter(|it| it.is_object() || it.is_array());
    let json = json.ok_or_else(|| failed("no JSON".to_owned()))?;
    let mut settings = Settings::default();
    settings.add_all("", &json, &|_| Group::Env);
    Ok(settings)
}
