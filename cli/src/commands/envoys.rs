//! Which running Envoys a command is about.

use crate::envoy::admin::{Admin, DEFAULT_ADMIN};
use crate::failure::Failure;

/// Which running Envoys a command is about.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct EnvoyArgs {
    /// The admin address of an Envoy; http://127.0.0.1:9901 where absent
    #[arg(long, value_name = "URL")]
    pub admin: Vec<String>,
}

/// Which running Envoys a command is about, and which of their rollouts.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct RolloutArgs {
    /// Which Envoys
    #[command(flatten)]
    pub envoys: EnvoyArgs,
    /// This rollout alone
    #[arg(long, value_name = "NAME")]
    pub rollout: Option<String>,
}

// === impl EnvoyArgs ===

impl EnvoyArgs {
    /// Their addresses, or that of [`DEFAULT_ADMIN`] where none is given.
    pub fn addresses(&self) -> Vec<String> {
        if self.admin.is_empty() {
            vec![DEFAULT_ADMIN.to_owned()]
        } else {
            self.admin.clone()
        }
    }

    /// All of them, which answer and are Envoys.
    ///
    /// # Errors
    /// Where one is no address, does not answer, or is no Envoy.
    pub fn admins(&self) -> Result<Vec<Admin>, Failure> {
        Admin::all(&self.addresses())
    }
}
