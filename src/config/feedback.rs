//! `feedback`: where outcomes of predictions are reported.

use crate::config::kind::UrlPath;
use crate::config::require::RequireConfig;
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use crate::policy::feedback_endpoint::FeedbackEndpoint;
use serde::Deserialize;

/// The endpoint at which services report how predictions turned out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct FeedbackConfig<'d> {
    /// Its path, without query.
    path: Field<'d, UrlPath>,
    /// What a request must bring.
    require: Field<'d, RequireConfig<'d>>,
}

// === impl FeedbackConfig ===

impl Read for FeedbackConfig<'_> {
    type Valid = FeedbackEndpoint;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<FeedbackEndpoint> {
        let raw: FeedbackConfig<'_> = read_object(node, problems)?;
        let path = raw.path.required(node, problems);
        let require = raw.require.required(node, problems);
        Some(FeedbackEndpoint {
            path: path?,
            require: require?,
        })
    }
}
