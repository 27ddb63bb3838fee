//! Verdicts as etcd has them.

use crate::analysis::guard::Cause;
use crate::analysis::ramp_progress::RampPosition;
use crate::fleet::keys::VerdictKind;
use crate::json::found::Found;
use crate::policy::fleet_view::FleetVerdict;
use serde::{Deserialize, Serialize};

/// That a rollout is rolled back.
#[derive(Debug, Serialize, Deserialize)]
struct RollbackDocument {
    v: u32,
    cause: Cause,
    /// The limit and the figures.
    reason: String,
    /// The `node.id` of the proxy that judged.
    proxy: String,
    /// When, in milliseconds since 1970 by that proxy's clock.
    at_ms: u64,
}

/// That a ramp was promoted.
#[derive(Debug, Serialize, Deserialize)]
struct PromotionDocument {
    v: u32,
    /// When, in milliseconds since 1970.
    at_ms: u64,
}

/// How far a ramp has come.
#[derive(Debug, Serialize, Deserialize)]
struct RampDocument {
    v: u32,
    /// The index of the step.
    step: u32,
    /// How many canary requests had finished when it began; nothing where it waits for the quality gate.
    requests_before: Option<u64>,
    /// How long ago it began when this was written.
    elapsed_ms: u64,
}

const VERSION: u32 = 1;

/// The JSON of a verdict. `proxy` is who writes it now.
pub fn to_json(verdict: &FleetVerdict, proxy: &str, now_ms: u64) -> Vec<u8> {
    let v = VERSION;
    let json = match verdict {
        FleetVerdict::RolledBack(cause, reason) => serde_json::to_vec(&RollbackDocument {
            v,
            cause: *cause,
            reason: reason.clone(),
            proxy: proxy.to_owned(),
            at_ms: now_ms,
        }),
        FleetVerdict::Promoted(at_ms) => {
            serde_json::to_vec(&PromotionDocument { v, at_ms: *at_ms })
        }
        FleetVerdict::Ramp(at) => serde_json::to_vec(&RampDocument {
            v,
            step: u32::try_from(at.step).unwrap_or(u32::MAX),
            requests_before: at.requests_before,
            elapsed_ms: now_ms.saturating_sub(at.since_ms),
        }),
    };
    // Writing text and numbers to memory does not fail.
    json.unwrap_or_default()
}

/// Reads a verdict. `elapsed_ms` is for how long a ramp is known to have been at a step.
pub fn read(
    kind: VerdictKind,
    json: &[u8],
    now_ms: u64,
    elapsed_ms: impl FnOnce(u32) -> u64,
) -> Option<FleetVerdict> {
    match kind {
        VerdictKind::Rollback => {
            let document: RollbackDocument = serde_json::from_slice(json).ok()?;
            let reason = Found::plain(&document.reason).to_string();
            let proxy = Found::plain(&document.proxy);
            let verdict = FleetVerdict::RolledBack(document.cause, format!("{reason} ({proxy})"));
            (document.v == VERSION).then_some(verdict)
        }
        VerdictKind::Promotion => {
            let document: PromotionDocument = serde_json::from_slice(json).ok()?;
            let verdict = FleetVerdict::Promoted(document.at_ms);
            (document.v == VERSION).then_some(verdict)
        }
        VerdictKind::Ramp => {
            let document: RampDocument = serde_json::from_slice(json).ok()?;
            let elapsed_ms = document.elapsed_ms.max(elapsed_ms(document.step));
            let verdict = FleetVerdict::Ramp(RampPosition {
                step: usize::try_from(document.step).ok()?,
                since_ms: now_ms.saturating_sub(elapsed_ms),
                requests_before: document.requests_before,
            });
            (document.v == VERSION).then_some(verdict)
        }
    }
}
