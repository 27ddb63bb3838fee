//! Envoy's admin interface.

use crate::envoy::samples::Samples;
use crate::failure::Failure;
use crate::live::scrape::{PATH, Scrape};
use serde_json::Value;
use std::time::Duration;
use ureq::Agent;

/// The admin interface of one Envoy.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Its address, such as `http://127.0.0.1:9901`.
    pub url: String,
    agent: Agent,
}

/// Where `make run` and the shipped bootstrap have it.
pub const DEFAULT_ADMIN: &str = "http://127.0.0.1:9901";

const PATIENCE: Duration = Duration::from_secs(5);
const MAX_BYTES: u64 = 256 * 1024 * 1024;
const DISCOVERY: &str = "extension_config_discovery.http_filter.";

/// Asks directly, follows nothing, and does not wait for ever.
pub fn agent() -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build();
    Agent::new_with_config(config)
}

// === impl Admin ===

impl Admin {
    /// An interface that is not asked yet.
    ///
    /// # Errors
    /// Where the address is none.
    pub fn new(address: &str) -> Result<Self, Failure> {
        let with_scheme = if address.contains("://") {
            address.to_owned()
        } else {
            format!("http://{address}")
        };
        let url = with_scheme.trim_end_matches('/').to_owned();
        let uri: Result<http::Uri, _> = url.parse();
        let is_plain = |uri: &http::Uri| {
            uri.scheme_str() == Some("http")
                && uri.path_and_query().is_none_or(|it| it.as_str() == "/")
        };
        if !uri.is_ok_and(|uri| is_plain(&uri)) {
            return Err(Failure::usage(format!(
                "--admin {address}: must be an address such as {DEFAULT_ADMIN}"
            )));
        }
        Ok(Self {
            url,
            agent: agent(),
        })
    }

    /// Those of all addresses, which answer and are Envoys.
    ///
    /// # Errors
    /// Where one is no address, does not answer, or is no Envoy.
    pub fn all(addresses: &[String]) -> Result<Vec<Self>, Failure> {
        let admins: Vec<Self> = addresses
            .iter()
            .map(|address| Self::new(address))
            .collect::<Result<_, _>>()?;
        for admin in &admins {
            admin.check()?;
        }
        Ok(admins)
    }

    /// Asks whether an Envoy answers.
    ///
    /// # Errors
    /// Where none does.
    pub fn check(&self) -> Result<(), Failure> {
        let info = self.json("/server_info")?;
        let is_envoy = info.get("version").is_some() && info.get("state").is_some();
        is_envoy.then_some(()).ok_or_else(|| self.no_envoy())
    }

    /// What the filter shows.
    ///
    /// # Errors
    /// Where no Envoy answers.
    pub fn samples(&self) -> Result<Samples, Failure> {
        let page = self.get("/stats/prometheus?filter=wasmcustom.bluegreen")?;
        Ok(Samples::parse(&page))
    }

    /// What the filter shows at this moment, in one request that costs Envoy little.
    ///
    /// # Errors
    /// Where no Envoy answers.
    pub fn scrape(&self) -> Result<Scrape, Failure> {
        Scrape::parse(&self.json(PATH)?).ok_or_else(|| self.no_envoy())
    }

    /// How many configurations Envoy has rejected.
    ///
    /// # Errors
    /// Where no Envoy answers.
    pub fn rejected(&self) -> Result<u64, Failure> {
        let filter = format!("/stats?filter={DISCOVERY}");
        let page = self.get(&filter)?;
        let rejected = page.lines().filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let is_rejected = name.ends_with(".update_rejected");
            is_rejected.then(|| value.trim().parse::<u64>().ok())?
        });
        Ok(rejected.sum())
    }

    /// A page that is JSON.
    ///
    /// # Errors
    /// Where no Envoy answers.
    pub fn json(&self, path: &str) -> Result<Value, Failure> {
        serde_json::from_str(&self.get(path)?).map_err(|_| self.no_envoy())
    }

    /// A page.
    ///
    /// # Errors
    /// Where no Envoy answers.
    pub fn get(&self, path: &str) -> Result<String, Failure> {
        let answer = self.agent.get(format!("{}{path}", self.url)).call();
        let mut answer = match answer {
            Ok(answer) if answer.status() == 200 => answer,
            Ok(_) | Err(ureq::Error::StatusCode(_) | ureq::Error::Protocol(_)) => {
                return Err(self.no_envoy());
            }
            Err(error) => return Err(self.silent(&error)),
        };
        let body = answer.body_mut().with_config().limit(MAX_BYTES);
        body.read_to_string().map_err(|error| self.silent(&error))
    }

    fn silent(&self, error: &ureq::Error) -> Failure {
        let why = match error {
            ureq::Error::Timeout(_) => "no answer within 5 s".to_owned(),
            ureq::Error::Io(error) => crate::file::config_file::said(error),
            other => other.to_string(),
        };
        Failure::unreachable(format!("{}: no Envoy answers: {why}", self.url))
    }

    fn no_envoy(&self) -> Failure {
        let url = &self.url;
        Failure::unreachable(format!(
            "{url}: what answers is no admin interface of Envoy"
        ))
    }
}
