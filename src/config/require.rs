//! `require`: what a request must bring. It is where a secret may be by mistake, so no message shows
//! what is in it.

use crate::assign::permission::{Permission, Token};
use crate::config::kind::{TokenDigest, WritableHeader};
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object, read_variant};
use crate::json::problems::Problems;
use serde::Deserialize;

/// What a request must bring to be allowed.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub enum RequireConfig<'d> {
    /// The header `x-envoy-internal: true`, which Envoy sets itself.
    Internal,
    /// A secret in a header.
    Token(Field<'d, TokenConfig<'d>>),
    /// Nothing: every client is allowed.
    Nothing,
}

/// A secret in a header. The configuration has its digest alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct TokenConfig<'d> {
    /// The header, which never reaches the upstream.
    header: Field<'d, WritableHeader>,
    /// The SHA-256 of the secret in hex digits.
    sha256: Field<'d, TokenDigest>,
}

// === impl RequireConfig ===

impl Read for RequireConfig<'_> {
    type Valid = Permission;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Permission> {
        let node = node.secret();
        let must_be = "\"internal\", \"nothing\" or an object with token";
        match read_variant(&node, must_be, problems)? {
            RequireConfig::Internal => Some(Permission::Internal),
            RequireConfig::Token(token) => token.required(&node, problems).map(Permission::Token),
            RequireConfig::Nothing => Some(Permission::Everyone),
        }
    }
}

// === impl TokenConfig ===

impl Read for TokenConfig<'_> {
    type Valid = Token;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Token> {
        let raw: TokenConfig<'_> = read_object(node, problems)?;
        let header = raw.header.required(node, problems);
        let sha256 = raw.sha256.required(node, problems);
        Some(Token {
            header: header?,
            sha256: sha256?,
        })
    }
}
