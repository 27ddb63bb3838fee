//! Names that an operator gives.

use crate::json::found::Found;
use crate::json::invalid::invalid;
use std::borrow::Borrow;

/// 1 to 64 of `a-z`, `0-9`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RolloutName(String);

/// The name of a score: as that of a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreName(String);

/// 1 to 255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterName(String);

/// 1 to 128 characters without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseLabel(String);

invalid! {
    /// Not the name of a rollout.
    InvalidRolloutName
}

invalid! {
    /// Not the name of a score.
    InvalidScoreName
}

invalid! {
    /// Not the name of a cluster.
    InvalidClusterName
}

invalid! {
    /// Not the label of a release.
    InvalidReleaseLabel
}

/// What may stand in the name of a stat.
const STAT_NAME: &str = "1 to 64 of a-z, 0-9, '_' and '-'";

fn is_stat_name(name: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

// === impl RolloutName ===

impl RolloutName {
    /// # Errors
    /// Where it could not stand in the name of a stat.
    pub fn parse(name: &str) -> Result<Self, InvalidRolloutName> {
        if is_stat_name(name) {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidRolloutName::new(Found::string(name), STAT_NAME))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for RolloutName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

// === impl ScoreName ===

impl ScoreName {
    /// # Errors
    /// Where it could not stand in the name of a stat.
    pub fn parse(name: &str) -> Result<Self, InvalidScoreName> {
        if is_stat_name(name) {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidScoreName::new(Found::string(name), STAT_NAME))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// === impl ReleaseLabel ===

impl ReleaseLabel {
    /// # Errors
    /// Where it could not stand in a log line.
    pub fn parse(label: &str) -> Result<Self, InvalidReleaseLabel> {
        let fits = (1..=128).contains(&label.chars().count());
        if fits && !label.contains(char::is_control) {
            Ok(Self(label.to_owned()))
        } else {
            Err(InvalidReleaseLabel::new(
                Found::string(label),
                "1 to 128 characters without control characters",
            ))
        }
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// === impl ClusterName ===

impl ClusterName {
    /// # Errors
    /// Where it could not stand in a header.
    pub fn parse(name: &str) -> Result<Self, InvalidClusterName> {
        if (1..=255).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidClusterName::new(
                Found::string(name),
                "1 to 255 visible ASCII characters",
            ))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
