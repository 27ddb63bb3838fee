//! `override`: how testers see a color before anyone else.

use crate::assign::overrides::Override;
use crate::config::kind::{Cookie, Header};
use crate::config::require::RequireConfig;
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use serde::Deserialize;

/// How testers ask for a color: by a header, a cookie, or both.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct OverrideConfig<'d> {
    /// A request header whose value is the color.
    #[serde(default)]
    header: Field<'d, Header>,
    /// A cookie whose value is the color, for requests whose header names none.
    #[serde(default)]
    cookie: Field<'d, Cookie>,
    /// What a request must bring.
    require: Field<'d, RequireConfig<'d>>,
}

// === impl OverrideConfig ===

impl Read for OverrideConfig<'_> {
    type Valid = Override;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Override> {
        let before = problems.count();
        let raw: OverrideConfig<'_> = read_object(node, problems)?;
        let header = raw.header.optional(node, problems);
        let cookie = raw.cookie.optional(node, problems);
        if header.is_none() && cookie.is_none() && problems.count() == before {
            let neither = "header and cookie are missing, must be given one of them or both";
            node.problem(problems, neither);
        }
        Some(Override {
            header,
            cookie,
            require: raw.require.required(node, problems)?,
        })
    }
}
