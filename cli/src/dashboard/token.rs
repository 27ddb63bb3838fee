//! The secret that the dashboard prints and wants back.

use crate::failure::Failure;
use bluegreen::Sha256Digest;
use std::fmt;

/// A secret of 128 random bits, made anew at each start.
#[derive(Clone)]
pub struct Token {
    text: String,
    digest: Sha256Digest,
}

// === impl Token ===

impl Token {
    /// Makes one.
    ///
    /// # Errors
    /// Where the system has no randomness.
    pub fn random() -> Result<Self, Failure> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Failure::finding(format!("no random token can be made: {error}")))?;
        Ok(Self::of(&hex(&bytes)))
    }

    /// The one of this text.
    pub fn of(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            digest: Sha256Digest::of(text.as_bytes()),
        }
    }

    /// As it is printed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the value of an `authorization` header brings it. Digests are compared, so the time that it takes tells
    /// nothing about the secret.
    pub fn is_in(&self, authorization: &[u8]) -> bool {
        let presented = authorization.strip_prefix(b"Bearer ");
        presented.is_some_and(|it| Sha256Digest::of(it) == self.digest)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// Bytes in hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_passes() {
        let token = Token::of("0123456789abcdef");
        assert!(token.is_in(b"Bearer 0123456789abcdef"));
        for other in [
            "",
            "Bearer ",
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdef0",
            "Bearer 0123456789ABCDEF",
            "bearer 0123456789abcdef",
            "0123456789abcdef",
            "Basic 0123456789abcdef",
        ] {
            assert!(!token.is_in(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn two_tokens_differ_and_are_never_shown() {
        let [one, other] = [Token::random(), Token::random()].map(|it| it.expect("randomness"));
        assert_eq!(one.as_str().len(), 32);
        assert_ne!(one.as_str(), other.as_str());
        assert_eq!(format!("{one:?}"), "Token");
    }
}
