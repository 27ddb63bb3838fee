//! Counts of one rollout as etcd has them.

use crate::analysis::score_sum::ScoreSums;
use crate::analysis::shadow_counts::ShadowCounts;
use crate::fleet::hex::Hex;
use crate::policy::fleet_counts::FleetCounts;
use crate::policy::totals::{ColorTotals, Totals};
use crate::value::color::{Color, PerColor};
use serde::{Deserialize, Serialize};

/// Counts of one rollout, of one generation and one release of each color.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WireCounts {
    /// The digest of clusters, releases and salt.
    pub generation: Hex,
    blue: ColorCounts,
    green: ColorCounts,
    /// Copies that have ended, requests whose two answers were compared, and those of them that differ.
    #[serde(skip_serializing_if = "ShadowCounts::is_empty")]
    shadow: ShadowCounts,
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
    #[serde(skip_serializing_if = "ScoreSums::is_empty")]
    scores: ScoreSums,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

// === impl WireCounts ===

impl From<&FleetCounts> for WireCounts {
    fn from(counts: &FleetCounts) -> Self {
        let PerColor { blue, green } = PerColor::from_fn(|color| ColorCounts::of(counts, color));
        Self {
            generation: Hex(counts.generation),
            blue,
            green,
            shadow: counts.totals.shadow,
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
            totals: Totals {
                shadow: counts.shadow,
                scores: PerColor::from_fn(|color| colors.of(color).scores.clone()),
                ..Totals::of_colors(PerColor::from_fn(|color| colors.of(color).totals()))
            },
        }
    }
}

// === impl ColorCounts ===

impl ColorCounts {
    fn of(counts: &FleetCounts, color: Color) -> Self {
        let [requests, failed, timed, slow, tp, fp, fn_, tn] = counts.totals.of_color(color);
        Self {
            release: counts.releases.of(color).clone(),
            requests,
            failed,
            timed,
            slow,
            tp,
            fp,
            fn_,
            tn,
            scores: counts.totals.scores.of(color).clone(),
        }
    }

    const fn totals(&self) -> ColorTotals {
        [
            self.requests,
            self.failed,
            self.timed,
            self.slow,
            self.tp,
            self.fp,
            self.fn_,
            self.tn,
        ]
    }
}
