//! Counts of one rollout as etcd has them.

use crate::analysis::quality::Outcomes;
use crate::analysis::window::Counts;
use crate::fleet::hex::Hex;
use crate::policy::fleet_view::FleetCounts;
use crate::value::color::PerColor;
use serde::{Deserialize, Serialize};

/// Counts of one rollout, of one generation and one release of each color.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WireCounts {
    /// The digest of clusters, releases and salt.
    pub generation: Hex,
    blue: ColorCounts,
    green: ColorCounts,
}

/// Counts of one color. Zeros are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct ColorCounts {
    #[serde(skip_serializing_if = "String::is_empty")]
    release: String,
    #[serde(skip_serializing_if = "is_zero")]
    requests: u64,
    #[serde(skip_serializing_if = "is_zero")]
    failed: u64,
    #[serde(skip_serializing_if = "is_zero")]
    timed: u64,
    #[serde(skip_serializing_if = "is_zero")]
    slow: u64,
    #[serde(skip_serializing_if = "is_zero")]
    tp: u64,
    #[serde(skip_serializing_if = "is_zero")]
    fp: u64,
    #[serde(rename = "fn", skip_serializing_if = "is_zero")]
    fn_: u64,
    #[serde(skip_serializing_if = "is_zero")]
    tn: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

// === impl WireCounts ===

impl From<&FleetCounts> for WireCounts {
    fn from(counts: &FleetCounts) -> Self {
        let PerColor { blue, green } = PerColor::from_fn(|color| {
            let Counts {
                requests,
                failed,
                timed,
                slow,
            } = *counts.requests.of(color);
            let Outcomes { tp, fp, fn_, tn } = *counts.outcomes.of(color);
            ColorCounts {
                release: counts.releases.of(color).clone(),
                requests,
                failed,
                timed,
                slow,
                tp,
                fp,
                fn_,
                tn,
            }
        });
        Self {
            generation: Hex(counts.generation),
            blue,
            green,
        }
    }
}

impl From<&WireCounts> for FleetCounts {
    fn from(counts: &WireCounts) -> Self {
        let colors = PerColor {
            blue: &counts.blue,
            green: &counts.green,
        };
        Self {
            generation: counts.generation.0,
            releases: PerColor::from_fn(|color| colors.of(color).release.clone()),
            requests: PerColor::from_fn(|color| {
                let it = colors.of(color);
                Counts {
                    requests: it.requests,
                    failed: it.failed,
                    timed: it.timed,
                    slow: it.slow,
                }
            }),
            outcomes: PerColor::from_fn(|color| {
                let it = colors.of(color);
                Outcomes {
                    tp: it.tp,
                    fp: it.fp,
                    fn_: it.fn_,
                    tn: it.tn,
                }
            }),
        }
    }
}
