//! The tested Envoy: where it is, and what it can do by its version.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::files;

/// What not every supported Envoy has. A test that depends on one asks [`Feature::is_there`], and asserts the
/// documented lesser behavior where it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Envoy starts with `signal.yaml`.
    Signal,
    /// A response that is cut off over HTTP/2 is reset with an error.
    ResetWithError,
}

/// Major, minor, patch.
type Version = (u32, u32, u32);

/// Begins a line on what the tested Envoy does not have. `make test-versions` collects them.
const LACKS: &str = "this Envoy lacks: ";

// === impl Feature ===

impl Feature {
    /// Whether the tested Envoy has it. Where it does not, a line of output says so.
    pub fn is_there(self) -> bool {
        let is_there = tested() >= self.since();
        if !is_there {
            println!("{LACKS}{}", self.describe());
        }
        is_there
    }

    const fn since(self) -> Version {
        match self {
            Self::Signal => (1, 39, 0),
            Self::ResetWithError => (1, 37, 0),
        }
    }

    const fn describe(self) -> &'static str {
        match self {
            Self::Signal => "the signal: `signalled` and `lean` query every stream",
            Self::ResetWithError => {
                "an error code where a response is cut off over HTTP/2: clients may take it for whole"
            }
        }
    }
}

/// The Envoy that the tests run on.
pub(crate) fn envoy_path() -> PathBuf {
    let own = || files::root().join(".venv/envoy");
    files::built(std::env::var_os("ENVOY").map_or_else(own, PathBuf::from))
}

/// Its version.
fn tested() -> Version {
    static TESTED: OnceLock<Version> = OnceLock::new();
    *TESTED.get_or_init(|| {
        let output = Command::new(envoy_path()).arg("--version").output();
        let output = output.expect("envoy --version").stdout;
        let text = String::from_utf8_lossy(&output);
        parse(&text).unwrap_or_else(|| panic!("no version in `{text}`"))
    })
}

/// The 1.40.0 of `envoy  version: 9e5580…/1.40.0/Clean/RELEASE/BoringSSL`.
fn parse(text: &str) -> Option<Version> {
    let version = text.split_once("version: ")?.1.split('/').nth(1)?;
    let mut numbers = version.split(['.', '-']).map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some((next()?, next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_version_is_read_from_what_envoy_prints() {
        let line =
            |version: &str| format!("\nenvoy  version: 9e55/{version}/Clean/RELEASE/BoringSSL\n");
        assert_eq!(parse(&line("1.40.0")), Some((1, 40, 0)));
        assert_eq!(parse(&line("1.38.1-dev")), Some((1, 38, 1)));
        assert_eq!(parse(&line("main")), None);
        assert_eq!(parse("envoy"), None);
    }
}
