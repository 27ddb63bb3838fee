//! Who may do what is not for every client.

use crate::json::found::Found;
use crate::json::invalid::invalid;
use crate::request::headers::Headers;
use crate::value::header_name::HeaderName;
use sha2::{Digest, Sha256};
use std::fmt;

/// What a request must bring to be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Envoy's own word that it comes from inside: `x-envoy-internal: true`, which Envoy takes from
    /// requests that come from outside.
    Internal,
    /// A secret.
    Token(Token),
    /// Nothing.
    Everyone,
}

/// A secret in a header, known here by its digest alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where the secret stands. It never reaches an upstream.
    pub header: HeaderName,
    /// What the secret's SHA-256 must be.
    pub sha256: Sha256Digest,
}

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sha256Digest([u8; 32]);

invalid! {
    /// Not a SHA-256 digest.
    InvalidSha256Digest
}

// === impl Permission ===

impl Permission {
    /// Whether a request brings what is asked for.
    pub fn allows(&self, headers: &Headers<'_>) -> bool {
        match self {
            Self::Internal => headers.first("x-envoy-internal") == Some(b"true"),
            Self::Token(token) => token.is_in(headers),
            Self::Everyone => true,
        }
    }

    /// The header that holds a secret, where there is one.
    pub const fn secret_header(&self) -> Option<&HeaderName> {
        match self {
            Self::Token(token) => Some(&token.header),
            Self::Internal | Self::Everyone => None,
        }
    }
}

// === impl Token ===

impl Token {
    /// The first value counts: to hash each of many would let a client make this long.
    fn is_in(&self, headers: &Headers<'_>) -> bool {
        let secret = headers.first(self.header.as_str());
        secret.is_some_and(|secret| Sha256Digest::of(secret) == self.sha256)
    }
}

// === impl Sha256Digest ===

impl Sha256Digest {
    /// The digest of a secret. Where two digests differ tells nothing about the secrets, so they may
    /// be compared byte by byte.
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// The digest itself.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// # Errors
    /// Where the text is not 64 hex digits. The error does not repeat it: it may be the secret itself.
    pub fn parse(hex: &str) -> Result<Self, InvalidSha256Digest> {
        let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
        let bytes: Option<Vec<u8>> = pairs.iter().map(parse_byte).collect();
        match (bytes.and_then(|bytes| bytes.try_into().ok()), rest) {
            (Some(bytes), []) => Ok(Self(bytes)),
            _ => Err(InvalidSha256Digest::new(
                Found::hidden(),
                "64 hex digits: the SHA-256 of the token",
            )),
        }
    }
}

fn parse_byte([high, low]: &[u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = digit(*high)?.checked_mul(16)?.checked_add(digit(*low)?)?;
    u8::try_from(byte).ok()
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha256Digest")
    }
}
