//! What happened.

use crate::clock::show_clock;
use crate::show::Shown;
use serde::Serialize;
use std::fmt;

/// Something that happened, as far as two successive looks tell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// When it was seen, in milliseconds since 1970.
    pub at_ms: u64,
    /// In which Envoys, by their admin addresses.
    pub envoys: Vec<String>,
    /// To which rollout; none where it concerns a whole Envoy.
    pub rollout: Option<String>,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// Other weights are in force, and no step or rollback says why.
    Shift {
        /// Green's weight before.
        from_green_percent: f64,
        /// Green's weight now.
        green_percent: f64,
    },
    /// The ramp is at another step.
    Step {
        /// Its index.
        step: usize,
        /// How many there are, where the configuration is known.
        steps: Option<usize>,
        /// Green's weight now.
        green_percent: f64,
    },
    /// The ramp waits for more than time.
    Waiting {
        /// For what, as far as the configuration tells.
        waits_for: Vec<&'static str>,
    },
    /// The guard or the quality gate has rolled back.
    RolledBack {
        /// Which limit, where this Envoy shows it.
        cause: Option<String>,
    },
    /// A new configuration has ended a rollback.
    RollbackOver,
    /// The canary serves all.
    Promoted {
        /// The color.
        color: &'static str,
    },
    /// Another color is the stable one.
    StableChanged {
        /// The color.
        color: &'static str,
    },
    /// Another configuration is in force.
    ConfigPushed {
        /// Its version, where it has one.
        version: Option<String>,
        /// Its fingerprint.
        fingerprint: u32,
    },
    /// Envoy has rejected a configuration.
    ConfigRejected,
    /// The filter is gone.
    FilterLost,
    /// An Envoy does not answer any more.
    EnvoyLost {
        /// Why.
        why: String,
    },
    /// It answers again.
    EnvoyBack,
    /// It has been started anew.
    EnvoyRestarted,
}

/// How serious an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// As it should be.
    Info,
    /// Someone may want to know.
    Warning,
    /// Someone has to look.
    Error,
}

// === impl Event ===

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", show_clock(self.at_ms))?;
        if let Some(rollout) = &self.rollout {
            write!(f, "{rollout}: ")?;
        }
        self.kind.fmt(f)
    }
}

// === impl EventKind ===

impl EventKind {
    /// How serious it is.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::RolledBack { .. } | Self::EnvoyLost { .. } | Self::FilterLost => Severity::Error,
            Self::ConfigRejected | Self::EnvoyRestarted | Self::Waiting { .. } => Severity::Warning,
            _ => Severity::Info,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shift {
                from_green_percent,
                green_percent,
            } => write!(
                f,
                "shift: green {from_green_percent} % -> {green_percent} %"
            ),
            Self::Step {
                step,
                steps,
                green_percent,
            } => {
                write!(f, "step {}", step.saturating_add(1))?;
                if let Some(steps) = steps {
                    write!(f, " of {steps}")?;
                }
                write!(f, ": green {green_percent} %")
            }
            Self::Waiting { waits_for } if waits_for.is_empty() => f.write_str("the ramp waits"),
            Self::Waiting { waits_for } => write!(f, "the ramp waits: {}", waits_for.join(", ")),
            Self::RolledBack { cause: Some(cause) } => write!(f, "rolled back: {cause}"),
            Self::RolledBack { cause: None } => f.write_str("rolled back"),
            Self::RollbackOver => f.write_str("the rollback is over"),
            Self::Promoted { color } => write!(f, "promoted: {color} serves all"),
            Self::StableChanged { color } => write!(f, "{color} is the stable color now"),
            Self::ConfigPushed {
                version: Some(version),
                fingerprint,
            } => write!(
                f,
                "config pushed: version {}, fingerprint {fingerprint}",
                Shown::path(version)
            ),
            Self::ConfigPushed {
                version: None,
                fingerprint,
            } => write!(f, "config pushed: fingerprint {fingerprint}"),
            Self::ConfigRejected => f.write_str("config rejected: Envoy's log says why"),
            Self::FilterLost => f.write_str("the filter is gone"),
            Self::EnvoyLost { why } => write!(f, "Envoy lost: {why}"),
            Self::EnvoyBack => f.write_str("Envoy back"),
            Self::EnvoyRestarted => f.write_str("Envoy restarted"),
        }
    }
}
