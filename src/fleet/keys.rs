//! The keys in etcd.

use crate::fleet::hex::Hex;
use std::fmt::Write as _;

/// The keys of a fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetKeys {
    /// The documents of the proxies are below it.
    pub proxies: String,
    /// The aggregate, which the elected proxy writes.
    pub aggregate: String,
    /// What the fleet has decided is below it.
    pub verdicts: String,
}

/// What a key of a verdict says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VerdictKey {
    /// The name of the rollout.
    pub rollout: String,
    /// What the verdict holds for.
    pub digest: Hex,
    /// What was decided on.
    pub kind: VerdictKind,
}

/// What was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VerdictKind {
    /// To roll back.
    Rollback,
    /// To let the ramp go on.
    Promotion,
    /// How far the ramp has come.
    Ramp,
}

// === impl FleetKeys ===

impl FleetKeys {
    /// The keys below a prefix. A later format that this one can't read gets another segment than `v1`.
    pub fn below(prefix: &str) -> Self {
        Self {
            proxies: format!("{prefix}/v1/proxies/"),
            aggregate: format!("{prefix}/v1/aggregate"),
            verdicts: format!("{prefix}/v1/verdicts/"),
        }
    }

    /// The document of the process of this id, of a proxy of this name.
    pub fn proxy(&self, name: &[u8], incarnation: Hex) -> String {
        let proxies = &self.proxies;
        format!("{proxies}{}/{incarnation}", escaped(name))
    }

    /// The id of the process that a key of a proxy belongs to, and the name as it is escaped there.
    pub fn read_proxy<'k>(&self, key: &'k str) -> Option<(&'k str, Hex)> {
        let (name, incarnation) = key.strip_prefix(&*self.proxies)?.split_once('/')?;
        Some((name, Hex::parse(incarnation)?))
    }

    /// The key of a verdict.
    pub fn verdict(&self, key: &VerdictKey) -> String {
        let verdicts = &self.verdicts;
        let VerdictKey {
            rollout,
            digest,
            kind,
        } = key;
        format!("{verdicts}{rollout}/{digest}/{}", kind.as_str())
    }

    /// What a key of a verdict says.
    pub fn read_verdict(&self, key: &str) -> Option<VerdictKey> {
        let mut segments = key.strip_prefix(&*self.verdicts)?.split('/');
        let rollout = segments.next()?.to_owned();
        let digest = Hex::parse(segments.next()?)?;
        let kind = VerdictKind::parse(segments.next()?)?;
        segments.next().is_none().then_some(VerdictKey {
            rollout,
            digest,
            kind,
        })
    }
}

/// A name as a segment of a key: all but letters, digits, `.`, `_` and `-` as `%` and two hex digits.
fn escaped(name: &[u8]) -> String {
    let mut escaped = String::with_capacity(name.len());
    for &byte in name.iter().take(MAX_NAME_BYTES) {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

const MAX_NAME_BYTES: usize = 256;

// === impl VerdictKind ===

impl VerdictKind {
    const ALL: [Self; 3] = [Self::Rollback, Self::Promotion, Self::Ramp];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Promotion => "promotion",
            Self::Ramp => "ramp",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}
