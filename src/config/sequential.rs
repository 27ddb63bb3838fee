//! `sequential`: the comparison of canary and stable color that needs no limits.

use crate::analysis::sequential::{Sequential, Tolerance};
use crate::config::kind::{AlarmInterval, TolerancePercentage};
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_object};
use crate::json::problems::Problems;
use serde::Deserialize;

/// Compares the canary with the stable color all the time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct SequentialConfig<'d> {
    /// How much more likely a canary user's request may fail, in percent of a stable user's; 10 where absent.
    #[serde(default)]
    tolerance: Field<'d, TolerancePercentage>,
    /// At equal colors, the mean time between false rollbacks is at least this long; `365d` where absent.
    #[serde(default)]
    false_alarm_every: Field<'d, AlarmInterval>,
}

// === impl SequentialConfig ===

impl Read for SequentialConfig<'_> {
    type Valid = Sequential;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Sequential> {
        let raw: SequentialConfig<'_> = read_object(node, problems)?;
        let tolerance = raw.tolerance.optional(node, problems);
        let every_ms = raw.false_alarm_every.optional(node, problems);
        let every_ms = every_ms.unwrap_or(Sequential::DEFAULT_FALSE_ALARM_EVERY_MS);
        Some(Sequential {
            tolerance: tolerance.unwrap_or(Tolerance::DEFAULT),
            false_alarm_every_ms: every_ms,
        })
    }
}
