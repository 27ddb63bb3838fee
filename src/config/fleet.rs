//! `fleet`: the store through which several Envoys share verdicts and counts.

use crate::config::kind::{Cluster, EnvironmentVariable, ExchangeInterval, KeyPrefix, UserName};
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use crate::policy::fleet_settings::{FleetAuth, FleetSettings};
use serde::Deserialize;

/// The etcd through which several Envoys share verdicts and counts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct FleetConfig<'d> {
    /// The cluster of Envoy that reaches etcd.
    cluster: Field<'d, Cluster>,
    /// Below which all keys are; `/bluegreen` where absent.
    #[serde(default)]
    prefix: Field<'d, KeyPrefix>,
    /// How often this Envoy publishes its counts and reads those of the others; `1s` where absent.
    #[serde(default)]
    interval: Field<'d, ExchangeInterval>,
    /// The user as whom this Envoy authenticates to etcd, where etcd requires it.
    #[serde(default)]
    auth: Field<'d, FleetAuthConfig<'d>>,
}

/// A user of etcd. The password is in the VM's environment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct FleetAuthConfig<'d> {
    /// The user.
    user: Field<'d, UserName>,
    /// The variable in the VM's environment that holds the password.
    password_env: Field<'d, EnvironmentVariable>,
}

// === impl FleetConfig ===

impl Read for FleetConfig<'_> {
    type Valid = FleetSettings;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<FleetSettings> {
        let raw: FleetConfig<'_> = read_object(node, problems)?;
        let cluster = raw.cluster.required(node, problems);
        let prefix = raw.prefix.optional(node, problems);
        let interval_ms = raw.interval.optional(node, problems);
        let auth = raw.auth.optional(node, problems);
        Some(FleetSettings {
            cluster: cluster?,
            prefix: prefix.unwrap_or_else(|| FleetSettings::DEFAULT_PREFIX.to_owned()),
            interval_ms: interval_ms.unwrap_or(FleetSettings::DEFAULT_INTERVAL_MS),
            auth,
        })
    }
}

// === impl FleetAuthConfig ===

impl Read for FleetAuthConfig<'_> {
    type Valid = FleetAuth;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<FleetAuth> {
        let raw: FleetAuthConfig<'_> = read_object(node, problems)?;
        let user = raw.user.required(node, problems);
        let password_env = raw.password_env.required(node, problems);
        Some(FleetAuth {
            user: user?,
            password_env: password_env?,
        })
    }
}
